// Command doorward answers whether a person may do a thing on a customer's
// account. This file is signals, arguments and the exit status; see internal/cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"doorward/internal/cli"
)

// version is set by the build.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on a second signal ends the process at once
	status := cli.Main(ctx, cli.Process{
		Args: os.Args[1:], Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Version: version,
	})
	stop()
	os.Exit(status)
}
