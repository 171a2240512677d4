package cli_test

import (
	"net"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// addresses NAME...: puts addresses on this machine, where nobody listens, into $NAME.
func addresses(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close() // not before the others are found
		ts.Setenv(name, l.Addr().String())
	}
}

// eventually ARG...: runs doorward ARG... again until it succeeds.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() bool { return ts.Exec("doorward", args...) == nil })
}

// answers ADDRESS: waits until somebody listens there.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() bool {
		c, err := net.Dial("tcp", args[0])
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func until(ts *testscript.TestScript, so func() bool) {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for begin := time.Now(); !so(); <-again.C {
		if time.Since(begin) > time.Minute {
			ts.Fatalf("it does not become so within a minute")
		}
	}
}
