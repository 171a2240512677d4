package postgres

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"doorward/internal/portal"
)

// moment is t as the database keeps it: UTC, to the microsecond.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// micros is the column for t: NULL for the zero time.
func micros(t time.Time) *int64 {
	if t = moment(t); t.IsZero() {
		return nil
	}
	n := t.UnixMicro()
	return &n
}

// at is the time in a column.
func at(column *int64) time.Time {
	if column == nil {
		return time.Time{}
	}
	return time.UnixMicro(*column).UTC()
}

// id is what to look s up by: itself, or "", which nothing has. PostgreSQL refuses a
// question with NUL or bytes that are not UTF-8 in it, and ends the transaction.
func id[T ~string](s T) string {
	if !portal.ValidID(string(s)) {
		return ""
	}
	return string(s)
}

// after is a text that PostgreSQL accepts, and that comes between the same two ids as s
// in byte order. It ends with the first byte that is in no id: DEL is above what ids are
// made of, SOH below.
func after(s string) string {
	for i := range len(s) {
		switch c := s[i]; {
		case c > '~':
			return s[:i] + "\x7f"
		case c == 0:
			return s[:i] + "\x01"
		}
	}
	return s
}

func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// texts is the column for names: an empty list is no NULL.
func texts[T ~string](names []T) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = string(name)
	}
	return all
}

// refTexts is the column for scope.
func refTexts(scope []portal.Ref) []string {
	all := make([]string, len(scope))
	for i, r := range scope {
		all[i] = r.String()
	}
	return all
}

// refs reads a column that refTexts wrote. Anything else is damage, never a grant.
func refs(column []string) ([]portal.Ref, error) {
	if len(column) == 0 {
		return nil, nil
	}
	all := make([]portal.Ref, len(column))
	for i, s := range column {
		var err error
		if all[i], err = portal.ParseRef(s); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return all, nil
}

// grantColumns are the columns that hold a grant, as read.
type grantColumns struct {
	presets, categories, scope, wide []string
	notBefore, notAfter              *int64
}

func (g *grantColumns) grant() (portal.Grant, error) {
	scope, err := refs(g.scope)
	if err != nil {
		return portal.Grant{}, fmt.Errorf("scope: %w", err)
	}
	return portal.Grant{
		Presets: orNil(g.presets), Categories: orNil(g.categories), Scope: scope, AccountWide: orNil(g.wide),
		NotBefore: at(g.notBefore), NotAfter: at(g.notAfter),
	}, nil
}

// grantAsKept is g as reading it back will give it.
func grantAsKept(g portal.Grant) portal.Grant {
	g.NotBefore, g.NotAfter = moment(g.NotBefore), moment(g.NotAfter)
	g.Presets, g.Categories, g.Scope, g.AccountWide = orNil(g.Presets), orNil(g.Categories), orNil(g.Scope), orNil(g.AccountWide)
	return g
}

// detailText is the column for the detail of an audit entry.
func detailText(detail map[string]string) (string, error) {
	b, err := json.Marshal(detail, json.Deterministic(true))
	return string(b), err
}

// detail reads a column that detailText wrote.
func detail(column string) (map[string]string, error) {
	var all map[string]*string // pointers, because null would read as ""
	if err := json.Unmarshal([]byte(column), &all); err != nil || all == nil {
		return nil, fmt.Errorf("%w: %q is no detail", ErrDamaged, column)
	}
	if len(all) == 0 {
		return nil, nil
	}
	detail := make(map[string]string, len(all))
	for k, v := range all {
		if v == nil {
			return nil, fmt.Errorf("%w: %q is no detail", ErrDamaged, column)
		}
		detail[k] = *v
	}
	return detail, nil
}

// hash copies a column of 32 bytes.
func hash(column []byte) (tag portal.Tag) {
	copy(tag[:], column)
	return tag
}

// sorted are the members of a set, in an order that does not change.
func sorted(set map[portal.AccountID]bool) []string {
	all := make([]string, 0, len(set))
	for a := range set {
		all = append(all, string(a))
	}
	slices.Sort(all)
	return all
}
