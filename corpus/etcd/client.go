package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// useLimit bounds everything that the client does, so that a server that hangs is a failure and not a hang.
const useLimit = time.Minute

// done is one request that had the expected answer.
type done struct {
	// GRPC is the method of a call.
	GRPC string `json:"grpc,omitempty"`
	// Method, path and status are those of an HTTP request.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Status int    `json:"status,omitempty"`
}

type user struct {
	base string
	n    int
	etcd *clientv3.Client
	http *http.Client
	done []done
}

// client uses a server, or checks the data of an earlier use; and prints one line for each request.
func client(what string, arguments []string) error {
	flags := flag.NewFlagSet("etcd "+what, flag.ExitOnError)
	base := flags.String("url", "", "the server's `URL`")
	n := flags.Int("n", 10, "`count` of keys")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config := &tls.Config{InsecureSkipVerify: true}
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{*base}, TLS: config, DialTimeout: useLimit})
	if err != nil {
		return err
	}
	defer etcd.Close()
	u := &user{base: *base, n: *n, etcd: etcd, http: &http.Client{Transport: &http.Transport{TLSClientConfig: config}}}
	ctx, cancel := context.WithTimeout(context.Background(), useLimit)
	defer cancel()
	if what == "use" {
		err = u.use(ctx)
	} else {
		err = u.check(ctx)
	}
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for _, one := range u.done {
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	return nil
}

func (u *user) called(method string) { u.done = append(u.done, done{GRPC: "/etcdserverpb." + method}) }

func key(i int) string   { return fmt.Sprintf("key/%d", i) }
func value(i int) string { return fmt.Sprintf("value %d", i) }

// use puts keys while it watches them, changes each by a transaction, and calls the HTTP endpoints.
func (u *user) use(ctx context.Context) error {
	watching, enough := context.WithCancel(ctx)
	defer enough()
	watch := u.etcd.Watch(watching, "key/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if created := <-watch; !created.Created {
		return fmt.Errorf("the watch did not begin: %w", created.Err())
	}
	u.called("Watch/Watch")
	for i := 0; i < u.n; i++ {
		if _, err := u.etcd.Put(ctx, key(i), "new"); err != nil {
			return err
		}
		u.called("KV/Put")
		isNew := clientv3.Compare(clientv3.Value(key(i)), "=", "new")
		change := u.etcd.Txn(ctx).If(isNew).Then(clientv3.OpPut(key(i), value(i))).Else(clientv3.OpGet(key(i)))
		changed, err := change.Commit()
		if err != nil || !changed.Succeeded {
			return fmt.Errorf("the transaction on %s: %v, %w", key(i), changed, err)
		}
		u.called("KV/Txn")
	}
	for events := 0; events < 2*u.n; {
		answer, more := <-watch
		if !more || answer.Err() != nil {
			return fmt.Errorf("the watch ended after %d events: %w", events, answer.Err())
		}
		events += len(answer.Events)
	}
	if err := u.check(ctx); err != nil {
		return err
	}
	return u.ask()
}

// check reads the keys that a use has put.
func (u *user) check(ctx context.Context) error {
	for i := 0; i < u.n; i++ {
		answer, err := u.etcd.Get(ctx, key(i))
		if err != nil {
			return err
		}
		if len(answer.Kvs) != 1 || string(answer.Kvs[0].Value) != value(i) {
			return fmt.Errorf("%s is %v", key(i), answer.Kvs)
		}
		u.called("KV/Range")
	}
	return nil
}

// ask calls the HTTP endpoints, and reads one key through the gateway from JSON to gRPC.
func (u *user) ask() error {
	encoded := base64.StdEncoding.EncodeToString
	question := fmt.Sprintf(`{"key": %q}`, encoded([]byte(key(0))))
	for _, one := range []struct {
		method, path, body, want string
		status                   int
	}{
		{http.MethodGet, "/health", "", `"health":"true"`, http.StatusOK},
		{http.MethodGet, "/version", "", `"etcdserver":"3.`, http.StatusOK},
		{http.MethodGet, "/metrics", "", "etcd_server_has_leader 1", http.StatusOK},
		{http.MethodGet, "/nobody", "", "404", http.StatusNotFound},
		{http.MethodPost, "/v3/kv/range", question, encoded([]byte(value(0))), http.StatusOK},
	} {
		request, err := http.NewRequest(one.method, u.base+one.path, bytes.NewReader([]byte(one.body)))
		if err != nil {
			return err
		}
		answer, err := u.http.Do(request)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != one.status || !bytes.Contains(text, []byte(one.want)) {
			return fmt.Errorf("%s: status %d, %w: %.200s", one.path, answer.StatusCode, err, text)
		}
		u.done = append(u.done, done{Method: one.method, Path: one.path, Status: one.status})
	}
	return nil
}
