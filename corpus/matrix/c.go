//go:build c

package main

// int relayed(int);
// static int through(int n) { return relayed(n) + 1; }
import "C"

// throughC goes through C and back into Go.
func throughC(n int) int { return int(C.through(C.int(n))) }

//export relayed
func relayed(n C.int) C.int { return C.int(relay(int(n))) }
