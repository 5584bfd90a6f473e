//go:build go1.24

package main

import (
	"net/http"
	"net/http/httptest"

	"golang.org/x/net/http2"
)

// serveUnencrypted serves HTTP/2 without TLS by net/http, and by http2.ConfigureServer.
func serveUnencrypted(handler http.Handler, client *http.Client) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)

	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = protocols
	server.Start()
	get(&http.Client{Transport: &http.Transport{Protocols: protocols}}, "GET", server.URL+"/hello/native", nil)

	configured := httptest.NewUnstartedServer(handler)
	configured.Config.Protocols = protocols
	check(http2.ConfigureServer(configured.Config, &http2.Server{}))
	configured.Start()
	get(client, "GET", configured.URL+"/hello/configured", nil)
}
