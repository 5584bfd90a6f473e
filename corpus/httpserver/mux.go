//go:build go1.22

// A program whose go.mod says Go 1.22 or later has the mux of Go 1.22. This one is built by older
// versions too.
//
//go:debug httpmuxgo121=0
package main
