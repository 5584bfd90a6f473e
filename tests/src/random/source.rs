//! The source of a random package as it is written: what it has so far, and the variables that code
//! at one place of it can use.

use std::fmt::Write as _;

use super::types::Type;

/// A package as far as it is written.
pub(super) struct Package {
    pub(super) rng: fastrand::Rng,
    /// The second number of the version of Go's language.
    pub(super) go: u32,
    pub(super) name: String,
    pub(super) text: String,
    /// The fields of each struct: `F0`, `F1`, ...
    pub(super) structs: Vec<Vec<Type>>,
    pub(super) functions: Vec<Function>,
    /// Number of the next variable or label.
    pub(super) next: usize,
    /// Depth of the block that is written.
    pub(super) indent: usize,
}

/// A function that others can call. All have `s *sup.S` as their first parameter.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    /// The struct of its receiver, and whether it is a pointer.
    pub(super) receiver: Option<(usize, bool)>,
    pub(super) parameters: Vec<Type>,
    pub(super) results: Vec<Type>,
    /// The type argument of a generic function.
    pub(super) argument: Option<&'static str>,
}

/// The variables that an expression can use.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) variables: Vec<(String, Type)>,
    /// Whether `s` is one, so that functions of the program can be called.
    pub(super) has_state: bool,
}

impl Scope {
    /// A variable of this type, if there is one.
    pub(super) fn any(&self, rng: &mut fastrand::Rng, of: &Type) -> Option<String> {
        let fitting: Vec<_> = self.variables.iter().filter(|(_, one)| one == of).collect();
        (!fitting.is_empty()).then(|| fitting[rng.usize(0..fitting.len())].0.clone())
    }
}

impl Package {
    /// Writes a line.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{:indent$}{}", "", line.as_ref(), indent = self.indent * 4);
    }

    /// Writes a line that begins a block, and what is in it.
    pub(super) fn block(&mut self, head: impl AsRef<str>, body: impl FnOnce(&mut Self)) {
        self.line(head);
        self.indent += 1;
        body(self);
        self.indent -= 1;
    }

    /// A name that no other variable has.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }
}
