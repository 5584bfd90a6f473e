// Package vendored is a module that the program keeps a copy of.
package vendored

// Joined puts a separator between two texts.
//
//go:noinline
func Joined(left, right string) string {
	Calls++
	return left + " and " + right
}

// Calls counts the calls of Joined, each of which returns.
var Calls int
