package server

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// keepPolicy keeps the policy of the folder in force, looking at once on every
// SIGHUP, until the returned function is called. Without a folder it does
// nothing.
func (s *Service) keepPolicy(ctx context.Context) (stop func()) {
	if s.keeper == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	var running sync.WaitGroup
	running.Go(func() { s.keeper.Run(ctx) })
	running.Go(func() {
		for {
			select {
			case <-asked:
				s.keeper.Force()
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
		signal.Ignore(syscall.SIGHUP) // not Stop: the next one would end the process
	}
}
