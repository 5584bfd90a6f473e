//! How a random program ends when it does not simply return.

use super::source::Package;

/// Statements that end a program, each of another kind. `n` is a number between 0 and 7. Under the
/// race detector the runtime does not notice that all goroutines wait.
const ENDINGS: &[&str] = &[
    "defer os.Exit(n + 3); s.Note(\"exits\")",
    "panic(v_string[n % 4])",
    "panic(&failure{n})",
    "panic(fmt.Errorf(\"wrapped: %w\", errors.New(v_string[1])))",
    "panic(v_float64[1])",
    "panic(t0{})",
    "var none *[9]int; s.U(uint64(none[n]))",
    "var none *outermost; s.U(uint64(none.n))",
    "var none func(int) int; s.U(uint64(none(n)))",
    "var none shape; s.T(none.Name())",
    "s.U(uint64(v_int[:n%4][n]))",
    "var none map[string]int; none[\"a\"] = n",
    "zero := n - n; s.U(uint64(n / zero))",
    "s.U(uint64(any(v_string[0]).(int)))",
    "done := make(chan int); go func() { defer close(done); panic(v_string[2]) }(); <-done; select {}",
    "if sup.Race { os.Exit(n) }; done := make(chan int); done <- n",
    "if sup.Race { os.Exit(n) }; runtime.Goexit()",
    "debug.SetMaxStack(1 << 20); var deeper func(int) int; deeper = func(x int) int { return deeper(x+1) + x }; s.U(uint64(deeper(n)))",
    "closed := make(chan int); close(closed); close(closed)",
    "sup.Send([]syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGHUP}[n%3]); select {}",
    "defer func() { panic(fmt.Sprint(\"again \", recover())) }(); panic(v_string[1])",
    "defer func() { panic(\"second\") }(); panic(\"first\")",
    "var lock sync.Mutex; lock.Unlock()",
    "s.U(uint64(sup.Unmapped(v_string[3])[4096+n]))",
    "defer os.Exit(7); panic(\"unseen\")",
    "signal.Ignore(syscall.SIGTERM); sup.Send(syscall.SIGTERM); os.Exit(n)",
];

impl Package {
    /// Writes `End`: some calls, and an ending below others.
    pub(super) fn end(&mut self) {
        let ending = ENDINGS[self.rng.usize(0..ENDINGS.len())];
        let depth = self.rng.usize(1..5);
        self.line("//go:noinline");
        self.line(format!("func end0(s *sup.S, n int) (x int, err error) {{ {ending}; return n, nil }}"));
        for level in 1..=depth {
            self.line("//go:noinline");
            let below = level - 1;
            let text = match self.rng.u32(0..5) {
                0 => format!("(s *sup.S, n int) (x int, err error) {{ defer s.U(3); return end{below}(s, n) }}"),
                1 => format!(
                    "(s *sup.S, n int) (x int, err error) {{ func() {{ x, err = end{below}(s, n) }}(); return x + n, err }}"
                ),
                2 => format!(
                    "(s *sup.S, n int) (x int, err error) {{ for i := 0; i < 3; i++ {{ x, err = end{below}(s, n) }}; return }}"
                ),
                3 => format!(
                    "(s *sup.S, n int) (x int, err error) {{ defer func() {{ x += n }}(); x, err = end{below}(s, n); return }}"
                ),
                _ => format!(
                    "(s *sup.S, n int) (int, error) {{ f := end{below}; x, err := f(s, n); return x ^ n, err }}"
                ),
            };
            self.line(format!("func end{level}{text}"));
        }
        self.line("// End ends the program.");
        let number = self.rng.u32(0..8);
        self.line(format!("func End(s *sup.S) {{ x, err := end{depth}(s, {number}); s.V(err); s.U(uint64(x)) }}"));
    }
}
