//go:build !go1.24

package main

import "net/http"

// serveUnencrypted does nothing: net/http serves HTTP/2 without TLS since Go 1.24.
func serveUnencrypted(http.Handler, *http.Client) {}
