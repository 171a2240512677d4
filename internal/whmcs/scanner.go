package whmcs

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"doorward/internal/fault"
)

// maxPiece bounds what is in memory at once, in bytes of the file: a row, or outside
// of rows one piece of markup or text.
const maxPiece = 1 << 20

// maxDepth bounds how deep elements nest that are passed over. Those that are read
// nest as deep as the grammar has them.
const maxDepth = 16

// A scanner reads the elements of XML as MySQL's tools write it: no document types, no
// entities but those of XML itself, no processing instructions but the declaration.
type scanner struct {
	file   string
	source *bounded
	xml    *xml.Decoder
	inRow  bool
}

func newScanner(name string, r io.Reader) *scanner {
	source := &bounded{r: bufio.NewReaderSize(r, 64<<10)}
	return &scanner{file: name, source: source, xml: xml.NewDecoder(source)}
}

// next reads the next piece. Its error is a fault.Fault where the file is wrong; io.EOF
// at an end between documents.
func (s *scanner) next() (xml.Token, error) {
	if !s.inRow {
		s.source.left = maxPiece
	}
	token, err := s.xml.Token()
	switch {
	case err == nil:
		return token, nil
	case s.source.err != nil:
		return nil, fmt.Errorf("read %s: %w", s.file, s.source.err)
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, errTooLong):
		return nil, s.faultf("Export only the tables that docs/import.md lists.", "a row or value is longer than %d bytes", maxPiece)
	}
	message := err.Error()
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		message = syntax.Msg
	}
	return nil, s.faultf("Export as docs/import.md says, in UTF-8 and without control characters.", "not valid XML: %s", strings.TrimPrefix(message, "xml: "))
}

// elements hands each child of the element just begun to each, which must read it to
// its end; at the top, each document to the end of the file.
func (s *scanner) elements(top bool, each func(xml.StartElement) error) error {
	for {
		token, err := s.next()
		if top && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := each(token); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		case xml.Comment:
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return s.faultf(howToExport, "there is text where only elements belong")
			}
		default:
			if declaration, ok := token.(xml.ProcInst); !ok || !top || declaration.Target != "xml" {
				return s.foreign()
			}
		}
	}
}

// foreign refuses what MySQL's tools do not write: it could pull in other files or
// blow up in memory.
func (s *scanner) foreign() error {
	return s.faultf(howToExport, "document types and processing instructions are not read")
}

// text reads the text of the element just begun, which has nothing else in it, and
// returns it if it is to be kept.
func (s *scanner) text(keep bool) (string, error) {
	var text strings.Builder
	for {
		token, err := s.next()
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.CharData:
			if keep {
				text.Write(token)
			}
		case xml.EndElement:
			return text.String(), nil
		default:
			return "", s.faultf(howToExport, "a field has something else than text in it")
		}
	}
}

// skip passes over the element just begun.
func (s *scanner) skip() error {
	for depth := 1; depth > 0; {
		token, err := s.next()
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return s.faultf(howToExport, "elements nest deeper than %d levels", maxDepth)
			}
		case xml.EndElement:
			depth--
		case xml.Directive, xml.ProcInst:
			return s.foreign()
		}
	}
	return nil
}

// line is the line that was read last.
func (s *scanner) line() int {
	line, _ := s.xml.InputPos()
	return line
}

// faultf says what is wrong where the file was read last.
func (s *scanner) faultf(fix, format string, args ...any) fault.Fault {
	return fault.Fault{File: s.file, Line: s.line(), Message: fmt.Sprintf(format, args...), Fix: fix}
}

// local is the name of an element outside of all namespaces; "" for others.
func local(n xml.Name) string {
	if n.Space != "" {
		return ""
	}
	return n.Local
}

// attribute is the value of an attribute outside of all namespaces.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if local(a.Name) == name {
			return a.Value
		}
	}
	return ""
}

// maxQuote bounds how much of a foreign text a message repeats, in bytes.
const maxQuote = 64

// quote shows foreign text in a message: escaped, so that it can neither forge a line
// nor steer a terminal (S42), and cut short.
func quote(s string) string {
	if len(s) > maxQuote {
		return strconv.QuoteToASCII(s[:maxQuote]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// errTooLong tells that more is read than may be in memory at once.
var errTooLong = errors.New("too long")

// A bounded reader gives no more than was allowed: the decoder keeps a whole value in
// memory, however long it is. It gives single bytes, or the decoder would read ahead.
type bounded struct {
	r    *bufio.Reader
	left int
	err  error // why r cannot be read; nil at its end
}

// ReadByte reads a byte.
func (b *bounded) ReadByte() (byte, error) {
	if b.left == 0 {
		return 0, errTooLong
	}
	b.left--
	c, err := b.r.ReadByte()
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return c, err
}

// Read satisfies io.Reader; the decoder calls ReadByte.
func (b *bounded) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}
