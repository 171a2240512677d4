package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of what a process may take.
const (
	startWait = 60 * time.Second
	endWait   = 20 * time.Second
	poll      = 5 * time.Millisecond
)

// A process is a Doorward that is started again and again under one address, with one data
// folder and one log.
type process struct {
	name    string
	address string
	log     string // a file
	command func() *exec.Cmd
	broken  sync.Mutex // held by the fault that has it

	mu     sync.Mutex
	pid    int
	done   chan struct{} // closed when it has ended
	wanted bool          // that it ends
	odd    []string      // ends that nobody wanted
	starts int
}

// newProcess makes one that listens on a free port.
func newProcess(name, folder, binary string, arguments ...string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, address: address, log: filepath.Join(folder, name+".log")}
	p.command = func() *exec.Cmd {
		cmd := exec.Command(binary, append(arguments, "--listen-address", address)...)
		cmd.Env = plainEnvironment()
		// It dies with the test.
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		return cmd
	}
	return p, nil
}

// plainEnvironment is the test's without what Doorward would take for settings.
func plainEnvironment() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DOORWARD_") {
			env = append(env, v)
		}
	}
	return env
}

// start starts it until it answers: a directory that starts while its database is away
// ends, and whoever runs it starts it again.
func (p *process) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for {
		if err := p.launch(); err != nil {
			return err
		}
		if p.answers(ctx) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.wanted = false
			p.starts++
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s did not start: %s", p.name, p.tail())
		}
	}
}

// launch starts the process. Until it answers its end is nothing odd.
func (p *process) launch() error {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd, started, done := p.command(), make(chan error), make(chan struct{})
	cmd.Stdout, cmd.Stderr = out, out
	p.mu.Lock()
	p.wanted = true
	p.mu.Unlock()
	go func() {
		runtime.LockOSThread() // the kernel sends Pdeathsig when the thread ends that started it
		defer close(done)
		defer out.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.ended(cmd.Wait())
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid, p.done = cmd.Process.Pid, done
	return nil
}

func (p *process) ended(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted {
		p.odd = append(p.odd, fmt.Sprintf("%s ended by itself: %v", p.name, err))
	}
}

// answers waits until the process answers anything, or has ended.
func (p *process) answers(ctx context.Context) bool {
	client := http.Client{Timeout: time.Second}
	for again := time.NewTicker(poll); ; {
		if response, err := client.Get("http://" + p.address + "/readyz"); err == nil {
			_ = response.Body.Close()
			return true
		}
		select {
		case <-again.C:
		case <-p.done:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done: // its number may be another's by now
	default:
		_ = syscall.Kill(p.pid, s)
	}
}

// end ends the process with a signal, and waits.
func (p *process) end(s syscall.Signal) error {
	p.mu.Lock()
	p.wanted = true
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return nil
	}
	p.signal(s)
	select {
	case <-done:
		return nil
	case <-time.After(endWait):
	}
	p.signal(syscall.SIGKILL)
	<-done
	return fmt.Errorf("%s did not end within %v of %v", p.name, endWait, s)
}

// omens are what no log has.
var omens = []string{"panic", "DATA RACE", "fatal error", "SIGSEGV"}

// oddities tells what a process did that none should.
func (p *process) oddities() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.odd
	text, err := os.ReadFile(p.log)
	if err != nil {
		return append(all, err.Error())
	}
	for line := range bytes.Lines(text) {
		for _, omen := range omens {
			if bytes.Contains(line, []byte(omen)) {
				all = append(all, fmt.Sprintf("%s logged: %s", p.name, line))
			}
		}
	}
	return all
}

// tail is the end of its log.
func (p *process) tail() string {
	const most = 4 << 10
	text, _ := os.ReadFile(p.log) // what there is
	return string(text[max(0, len(text)-most):])
}

// The ports of processes and links are below those that the kernel gives to connections:
// nobody takes one while its process is away.
const firstPort, lastPort = 12_000, 31_000

var nextPort struct {
	sync.Mutex
	port int
}

// freeAddress finds a loopback port that nobody listens on, and gives none twice.
func freeAddress() (string, error) {
	nextPort.Lock()
	defer nextPort.Unlock()
	if nextPort.port == 0 {
		nextPort.port = firstPort + os.Getpid()%8_000
	}
	for nextPort.port < lastPort {
		nextPort.port++
		address := fmt.Sprintf("127.0.0.1:%d", nextPort.port)
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("no port is free")
}
