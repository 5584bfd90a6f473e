// Command etcd is the etcd server, as its own releases are, and with `etcd use` or `etcd check` as its first argument a
// client of it.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	if len(os.Args) > 1 && (os.Args[1] == "use" || os.Args[1] == "check") {
		if err := client(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "etcd:", err)
			os.Exit(1)
		}
		return
	}
	etcdmain.Main(os.Args)
}
