package importer

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// Stored returns a record as the directory has it, in the words of doorward-import/1, with
// the source it is of besides. Putting it changes nothing. A sign-in is shown as its user.
// What is not there is directory.ErrNotFound, and so is a contact of another account.
func Stored(ctx context.Context, r directory.Reader, k Key) (ijson.Value, error) {
	switch k.Kind {
	case KindUser, KindSignin:
		u, err := r.User(ctx, portal.UserID(k.ID))
		return userWords(u), err
	case KindAccount:
		a, err := r.Account(ctx, k.Account)
		if err != nil {
			return ijson.Value{}, err
		}
		owners, err := ownersOf(ctx, r, k.Account)
		return accountWords(a, owners), err
	case KindMembership:
		m, err := r.Membership(ctx, k.Account, portal.UserID(k.ID))
		return membershipWords(m), err
	case KindContact:
		c, err := r.Contact(ctx, portal.ContactID(k.ID))
		if err == nil && c.Account != k.Account {
			err = fmt.Errorf("contact %s of account %s: %w", k.ID, k.Account, directory.ErrNotFound)
		}
		return contactWords(c), err
	}
	return ijson.Value{}, fmt.Errorf("%w: there is no kind %s", directory.ErrNotFound, k.Kind)
}

// words are the members of a record; those that say nothing are left out.
type words []ijson.Member

func begin(kind Kind, from portal.Origin, ids ...string) *words {
	w := &words{}
	w.text("kind", string(kind))
	for i := 0; i < len(ids); i += 2 {
		w.text(ids[i], ids[i+1])
	}
	w.text("source", from.Source)
	return w
}

func (w *words) add(name string, v ijson.Value) { *w = append(*w, ijson.Member{Name: name, Value: v}) }

func (w *words) text(name, text string) {
	if text != "" {
		w.add(name, ijson.StringValue(text))
	}
}

func (w *words) time(name string, at time.Time) {
	if !at.IsZero() {
		w.text(name, at.UTC().Format(time.RFC3339Nano))
	}
}

func (w *words) list(name string, texts []string) {
	items := make([]ijson.Value, len(texts))
	for i, text := range texts {
		items[i] = ijson.StringValue(text)
	}
	if len(items) > 0 {
		w.add(name, ijson.ArrayValue(items...))
	}
}

func (w *words) mails(name string, on, off []string) {
	var flags []ijson.Member
	for _, mail := range on {
		flags = append(flags, ijson.Member{Name: mail, Value: ijson.BoolValue(true)})
	}
	for _, mail := range off {
		flags = append(flags, ijson.Member{Name: mail, Value: ijson.BoolValue(false)})
	}
	w.add(name, ijson.ObjectValue(flags...))
}

func (w *words) person(p portal.Person) {
	w.text("email", p.Email)
	w.text("first_name", p.FirstName)
	w.text("last_name", p.LastName)
	w.text("language", p.Locale)
}

func userWords(u portal.User) ijson.Value {
	w := begin(KindUser, u.Origin, "id", string(u.ID))
	w.person(u.Person)
	w.text("status", string(u.Status))
	if u.MFA {
		w.text("second_factor", "yes")
	}
	w.time("email_verified_at", u.EmailVerifiedAt)
	w.time("last_login", u.LastLogin)
	w.time("created_at", u.CreatedAt)
	return ijson.ObjectValue(*w...)
}

func accountWords(a portal.Account, owners []string) ijson.Value {
	w := begin(KindAccount, a.Origin, "id", string(a.ID))
	w.text("uuid", a.UUID)
	w.text("name", a.Name)
	w.text("status", string(a.Status))
	w.add("mfa_required", ijson.BoolValue(a.MFARequired))
	if len(owners) == 1 {
		w.text("owner", owners[0])
	}
	w.time("created_at", a.CreatedAt)
	return ijson.ObjectValue(*w...)
}

func membershipWords(m portal.Membership) ijson.Value {
	w := begin(KindMembership, m.Origin, "account", string(m.Account), "user", string(m.User))
	w.add("owner", ijson.BoolValue(m.Owner))
	w.text("state", string(m.State))
	if !m.Owner { // whose grant is everything, and cannot be said otherwise
		w.list("presets", m.Grant.Presets)
		w.list("categories", m.Grant.Categories)
		w.list("scope", refs(m.Grant.Scope))
		w.list("account_wide", m.Grant.AccountWide)
		w.time("not_before", m.Grant.NotBefore)
		w.time("not_after", m.Grant.NotAfter)
	}
	w.mails("emails", m.Mail.On, m.Mail.Off)
	w.time("last_login", m.LastLogin)
	w.time("created_at", m.CreatedAt)
	return ijson.ObjectValue(*w...)
}

func contactWords(c portal.Contact) ijson.Value {
	w := begin(KindContact, c.Origin, "id", string(c.ID), "account", string(c.Account))
	w.person(c.Person)
	w.text("status", string(c.Status))
	w.mails("emails", c.Mails, nil)
	w.list("scope", refs(c.Scope))
	w.time("created_at", c.CreatedAt)
	return ijson.ObjectValue(*w...)
}
