package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"

	"doorward/internal/config"
)

// A listener accepts connections at one place.
type listener struct {
	net.Listener
	url string // how a client on this machine names it
	tls *tls.Config
}

// listen opens every listener the configuration asks for, or none.
func listen(ctx context.Context, c config.Config) (all []listener, err error) {
	defer func() {
		if err != nil {
			closeAll(all)
			all = nil
		}
	}()
	if c.Listen.Address != config.NoAddress {
		l, err := listenTCP(ctx, c.TLS, place{"listen.address", c.Listen.Address, c.MayBeReached()})
		if err != nil {
			return all, err
		}
		all = append(all, l)
	}
	if c.Listen.Socket != "" {
		l, err := listenUnix(ctx, c.Listen.Socket, c.Listen.SocketMode)
		if err != nil {
			return all, err
		}
		all = append(all, listener{Listener: l, url: "unix:" + c.Listen.Socket})
	}
	return all, nil
}

func closeAll(all []listener) {
	for _, l := range all {
		_ = l.Close()
	}
}

// A place is where to accept TCP, by which setting, and whether other machines may.
type place struct {
	setting, address string
	reachable        bool
}

// listenForGates opens the listener for sidecars. They always show a token.
func listenForGates(ctx context.Context, c config.Config) (listener, error) {
	return listenTCP(ctx, c.TLS, place{"gates.address", c.Gates.Address, c.TLS.CertFile != ""})
}

func listenTCP(ctx context.Context, files config.TLS, at place) (listener, error) {
	secure, err := certificate(files)
	if err != nil {
		return listener{}, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", at.address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return listener{}, fmt.Errorf("listen on %s: %w: stop the process that listens there, or choose another %s",
			at.address, syscall.EADDRINUSE, at.setting)
	}
	if err != nil {
		return listener{}, fmt.Errorf("listen on %s: %w", at.address, err)
	}
	// A name may resolve otherwise now than when the configuration was checked.
	if bound, ok := l.Addr().(*net.TCPAddr); !at.reachable && !(ok && bound.IP.IsLoopback()) {
		_ = l.Close()
		return listener{}, fmt.Errorf("listen on %s: it turned out to be %s, which other machines can reach", at.address, l.Addr())
	}
	scheme := "http"
	if secure != nil {
		scheme = "https"
	}
	return listener{Listener: l, url: scheme + "://" + l.Addr().String(), tls: secure}, nil
}

// certificate loads the server's certificate; nil when there is none.
func certificate(files config.TLS) (*tls.Config, error) {
	if files.CertFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("load tls.cert_file and tls.key_file: %w", err)
	}
	// The protocols are named here because the one http.Server also serves the
	// socket: whichever listener came first would decide whether HTTP/2 works.
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}, nil
}

// errInUse tells that another process has the socket.
var errInUse = errors.New("another process answers on it; stop that one or choose another path")
