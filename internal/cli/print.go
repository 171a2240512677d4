package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"doorward/internal/fault"
)

// printf prints data.
func (p *Process) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(p.Stdout, format, args...)
	return err
}

// printJSON prints data as one indented JSON document.
func (p *Process) printJSON(v any) error {
	e := json.NewEncoder(p.Stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// notef prints a message.
func (p *Process) notef(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Stderr, format+"\n", args...)
}

// toFile has data written to stdout or, when it is named, to a new file, of which
// nothing stays when that fails.
func (p *Process) toFile(what, name string, write func(io.Writer) error) error {
	if name == "" {
		return write(p.Stdout)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("make the file of the %s: %w", what, err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// report tells what went wrong. Faults stand alone on their lines, as editors
// and CI read them.
func (p *Process) report(err error) {
	if err == nil || isStatus(err) {
		return
	}
	if list, ok := errors.AsType[fault.List](err); ok {
		for _, f := range list {
			p.notef("%s", plain(f.Error()))
		}
		return
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	p.notef("doorward: %s", strings.Join(lines, "\n"))
}

// plain takes out of foreign text what would steer a terminal or make it show
// something other than what is there (S42).
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// working says on a terminal what takes a while, until the returned function takes
// it away: whoever waits should see within 100 ms that something happens.
func (p *Process) working(on string) (clear func()) {
	if !p.terminal(p.Stderr) {
		return func() {}
	}
	on = plain(on)
	fmt.Fprintf(p.Stderr, "%s …", on)
	return func() { fmt.Fprintf(p.Stderr, "\r%s\r", strings.Repeat(" ", utf8.RuneCountInString(on)+2)) }
}

// terminal tells whether w is a terminal that understands a carriage return.
func (p *Process) terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && !slices.Contains(p.Environ, "TERM=dumb")
}
