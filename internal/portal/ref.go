package portal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Ref names one thing: its type and its id, as in user:7.
type Ref struct {
	Type string
	ID   string
}

// String returns the ref as type:id.
func (r Ref) String() string { return r.Type + ":" + r.ID }

// The types of subjects and resources Doorward itself gives a meaning to. A
// portal may ask about resources of any other type.
const (
	TypeAccount = "account"
	TypeUser    = "user"
	TypeContact = "contact"
)

// ParseRef reads type:id. The id may itself contain colons.
func ParseRef(s string) (Ref, error) {
	typ, id, ok := strings.Cut(s, ":")
	if !ok || !ValidName(typ) || !ValidName(id) {
		return Ref{}, fmt.Errorf("%q does not name a thing: write type:id, as in user:7", s)
	}
	return Ref{Type: typ, ID: id}, nil
}

// maxName is the longest name, in bytes, that a question may use.
const maxName = 256

// ValidName tells whether s may name something in a question: 1 to 256 bytes of
// UTF-8 without control characters. Anything longer or stranger is bad input,
// not merely unknown.
func ValidName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
		case c < ' ' || c == 0x7f:
			return false
		}
	}
	return true
}

// maxID is the longest id, in bytes, that the directory stores.
const maxID = 128

// ValidID tells whether s may be stored as an id: [A-Za-z0-9._:@+~-]{1,128}.
func ValidID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("._:@+~-", c) >= 0:
		default:
			return false
		}
	}
	return true
}
