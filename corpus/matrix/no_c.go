//go:build !c

package main

func throughC(n int) int { return relay(n) + 1 }
