package shared

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// What an honest Redis stays far below. The client makes room for whatever length it is
// told, and goes down with the process when there is none.
const (
	maxReplyLine  = 64 << 10 // bytes of a line
	maxReplyItems = 1 << 16  // of an array or map
	maxReplyBulk  = 1 << 20  // bytes of a string
	maxReplyDepth = 8        // of arrays in arrays
)

var errReply = errors.New("not what Redis answers")

// A guarded connection ends before the client reads a length or a depth in a reply (RESP2
// and RESP3) that would take more memory than there is.
type guarded struct {
	net.Conn
	lengths lengths
}

func (g *guarded) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if wrong := g.lengths.see(b[:n]); wrong != nil {
		_ = g.Close()
		return 0, wrong
	}
	return n, err
}

// SyscallConn lets the client see that a connection which nobody used meanwhile has ended,
// before it asks over it. Under TLS that is seen of the connection beneath: whatever came
// unasked is a reason to make another.
func (g *guarded) SyscallConn() (syscall.RawConn, error) {
	conn := g.Conn
	if secure, is := conn.(*tls.Conn); is {
		conn = secure.NetConn()
	}
	if plain, is := conn.(syscall.Conn); is {
		return plain.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// lengths follows replies byte by byte.
type lengths struct {
	line   []byte // its beginning, as far as it may be a length
	length int    // of the line
	skip   int    // bytes of a string to come
	open   []int  // how many items each array is still to have, the outermost first
}

func (l *lengths) see(b []byte) error {
	for len(b) > 0 {
		if l.skip > 0 {
			n := min(l.skip, len(b))
			l.skip, b = l.skip-n, b[n:]
			continue
		}
		c := b[0]
		b = b[1:]
		if l.length++; l.length > maxReplyLine {
			return fmt.Errorf("%w: a line of more than %d bytes", errReply, maxReplyLine)
		}
		if c != '\n' {
			if len(l.line) < maxLength {
				l.line = append(l.line, c)
			}
			continue
		}
		if err := l.ended(); err != nil {
			return err
		}
		l.line, l.length = l.line[:0], 0
	}
	return nil
}

// maxLength is more than a line with a length has, in bytes.
const maxLength = 32

// ended looks at a line that has ended.
func (l *lengths) ended() error {
	kind := byte(0)
	if len(l.line) > 0 {
		kind = l.line[0]
	}
	switch kind {
	case '$', '=', '!':
		n, err := l.number(maxReplyBulk)
		if err != nil {
			return err
		}
		if n >= 0 {
			l.skip = n + len("\r\n")
		}
		l.item()
	case '*', '~', '>', '%', '|':
		n, err := l.number(maxReplyItems)
		if err != nil {
			return err
		}
		if kind == '%' || kind == '|' {
			n *= 2
		}
		if kind != '|' { // attributes go before an item, and are none
			l.item()
		}
		if n > 0 {
			l.open = append(l.open, n)
		}
		if len(l.open) > maxReplyDepth {
			return fmt.Errorf("%w: arrays in %d others", errReply, maxReplyDepth)
		}
	default:
		l.item()
	}
	return nil
}

// item notes that an item of the innermost array has come, or begun.
func (l *lengths) item() {
	for n := len(l.open); n > 0 && l.open[n-1] == 0; n = len(l.open) {
		l.open = l.open[:n-1]
	}
	if n := len(l.open); n > 0 {
		l.open[n-1]--
	}
}

func (l *lengths) number(most int) (int, error) {
	text := l.line[1:]
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < -1 || n > most {
		return 0, fmt.Errorf("%w: a length that is none, or more than %d", errReply, most)
	}
	return n, nil
}
