// Command matrix calls functions of every shape that matters, and says what it did: the same in every version of Go and
// every link mode, but for what calls C.
//
// A call whose values are captured is a line `CALL rule {"attribute": value}`. The last lines are `COUNT rule calls returns`.
package main

import (
	"crypto/sha256"
	"os"
	"strconv"

	"gopatch.example/vendored"
)

const rounds = 100

// number has the shape of int.
type number int

// What place is given is on the heap: a pointer into a stack is not followed at an exit, and only what is allocated has its type
// described where there is no DWARF.
var (
	corner *shop
	last   *order
)

func main() {
	corner = &shop{}
	done := make(chan int)
	sum := 0
	for round := 0; round < rounds; round++ {
		last = &order{customer: "c" + strconv.Itoa(round), lines: make([]string, round%4)}
		note := "note"[:round%5]
		result, err := corner.place(last, note)
		say("CALL place", object(
			"customer", strconv.Quote(last.customer), "note", strconv.Quote(note), "lines", strconv.Itoa(len(last.lines)),
			"result", strconv.Itoa(result), "failed", strconv.FormatBool(err != nil), "placed", strconv.Itoa(corner.placed)))

		sum += largest([]int{round, 3, 50}, func(a, b int) bool { return a < b })
		sum += int(largest([]number{number(round), 7}, func(a, b number) bool { return a < b }))
		left, right, name := swap(wide{a: 1, e: int64(round)}, wide{b: 2}, note)
		sum += int(left.b+right.a+right.e) + len(name)
		say("CALL swap", object("name", strconv.Quote(note), "a", strconv.Itoa(round), "b", "2", "back", strconv.Itoa(len(note)+1)))
		sum += guarded(round)
		go func() { done <- deep(round%8 + 8) }()
		sum += <-done
		sum += throughC(round)
	}
	// The FIPS 140 build checks itself because of this.
	digest := sha256.Sum256([]byte(strconv.Itoa(sum)))
	say("SUM", strconv.Itoa(sum), strconv.Itoa(int(digest[0])))
	for _, one := range []counter{placeCount, largestCount, swapCount, halfCount, guardedCount, deepCount, relayCount} {
		say("COUNT", one.rule, strconv.Itoa(one.calls), strconv.Itoa(one.returns))
	}
	say("COUNT", "vendored", strconv.Itoa(vendored.Calls), strconv.Itoa(vendored.Calls))
}

// object is a JSON object of names and values.
func object(pairs ...string) string {
	text := ""
	for at := 0; at < len(pairs); at += 2 {
		text += ", " + strconv.Quote(pairs[at]) + ": " + pairs[at+1]
	}
	return "{" + text[2:] + "}"
}

func say(words ...string) {
	line := ""
	for _, word := range words {
		line += word + " "
	}
	os.Stdout.WriteString(line[:len(line)-1] + "\n")
}
