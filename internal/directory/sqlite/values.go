package sqlite

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"doorward/internal/portal"
)

// moment is t as the file keeps it: UTC, to the microsecond.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// micros is the column for t: NULL for the zero time.
func micros(t time.Time) any {
	if t = moment(t); t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// at is the time in a column.
func at(column sql.NullInt64) time.Time {
	if !column.Valid {
		return time.Time{}
	}
	return time.UnixMicro(column.Int64).UTC()
}

// emptyList is the column for no names.
const emptyList = "[]"

// texts is the column for names.
func texts(names []string) (string, error) {
	if len(names) == 0 {
		return emptyList, nil
	}
	b, err := json.Marshal(names)
	return string(b), err
}

// manyTexts are the columns for several lists of names.
func manyTexts(lists ...[]string) ([]string, error) {
	all := make([]string, len(lists))
	for i, list := range lists {
		var err error
		if all[i], err = texts(list); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// names reads a column that texts wrote. Anything else is damage, never a grant.
func names(column string) ([]string, error) {
	if column == emptyList {
		return nil, nil
	}
	var list []*string // pointers, because null would read as ""
	if err := json.Unmarshal([]byte(column), &list); err != nil || len(list) == 0 {
		return nil, fmt.Errorf("%w: %q is no list of names", ErrDamaged, column)
	}
	all := make([]string, len(list))
	for i, s := range list {
		if s == nil {
			return nil, fmt.Errorf("%w: %q is no list of names", ErrDamaged, column)
		}
		all[i] = *s
	}
	return all, nil
}

// listOf reads a column that texts wrote, or NULL in the place of the empty list.
func listOf(column sql.NullString) ([]string, error) {
	if !column.Valid {
		return nil, nil
	}
	return names(column.String)
}

// grantColumns are the columns of a membership that hold its grant, as read.
type grantColumns struct {
	presets, categories, scope, wide sql.NullString
	notBefore, notAfter              sql.NullInt64
}

func (g *grantColumns) grant() (portal.Grant, error) {
	presets, err := listOf(g.presets)
	if err != nil {
		return portal.Grant{}, fmt.Errorf("presets: %w", err)
	}
	categories, err := listOf(g.categories)
	if err != nil {
		return portal.Grant{}, fmt.Errorf("categories: %w", err)
	}
	scope, err := refs(g.scope)
	if err != nil {
		return portal.Grant{}, fmt.Errorf("scope: %w", err)
	}
	wide, err := listOf(g.wide)
	if err != nil {
		return portal.Grant{}, fmt.Errorf("account-wide categories: %w", err)
	}
	return portal.Grant{
		Presets: presets, Categories: categories, Scope: scope, AccountWide: wide,
		NotBefore: at(g.notBefore), NotAfter: at(g.notAfter),
	}, nil
}

// mailColumns are the columns of a membership that hold its choices of mail, as read.
type mailColumns struct{ on, off sql.NullString }

func (m *mailColumns) choices() (portal.MailChoices, error) {
	on, err := listOf(m.on)
	if err != nil {
		return portal.MailChoices{}, fmt.Errorf("mail chosen: %w", err)
	}
	off, err := listOf(m.off)
	if err != nil {
		return portal.MailChoices{}, fmt.Errorf("mail declined: %w", err)
	}
	return portal.MailChoices{On: on, Off: off}, nil
}

func refs(column sql.NullString) ([]portal.Ref, error) {
	list, err := listOf(column)
	if err != nil || list == nil {
		return nil, err
	}
	all := make([]portal.Ref, len(list))
	for i, s := range list {
		if all[i], err = portal.ParseRef(s); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return all, nil
}

// refTexts is the column for scope.
func refTexts(scope []portal.Ref) (string, error) {
	all := make([]string, len(scope))
	for i, r := range scope {
		all[i] = r.String()
	}
	return texts(all)
}

// detail reads a column that a line was written with.
func detail(column string) (map[string]string, error) {
	var all map[string]*string
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
