package importer

import (
	"fmt"
	"strings"
	"time"

	"doorward/internal/audit"
	"doorward/internal/portal"
)

// log says in the trail what became of a record, if anything did: ids, rights and
// statuses, nothing personal (req 113). detail may be nil.
func (s *sitting) log(k Key, o Outcome, from portal.Origin, detail map[string]string) {
	if o == Unchanged {
		return
	}
	e := audit.Entry{Actor: s.by.Actor, Client: s.by.Client, Action: string(k.Kind) + ".put", Detail: map[string]string{}}
	switch k.Kind {
	case KindUser:
		e.Object = portal.TypeUser + ":" + k.ID
	case KindSignin:
		e.Action, e.Object = "user.signin", portal.TypeUser+":"+k.ID
	case KindAccount:
		e.Object = portal.TypeAccount + ":" + string(k.Account)
	case KindMembership, KindContact:
		e.Object = portal.TypeAccount + ":" + string(k.Account)
		e.Detail[map[Kind]string{KindMembership: portal.TypeUser, KindContact: portal.TypeContact}[k.Kind]] = k.ID
	}
	if from.Source != "" {
		e.Detail["source"] = from.Source
	}
	for name, text := range detail {
		if text != "" {
			e.Detail[name] = text
		}
	}
	s.tx.Log(e)
}

// beforeAfter says what something was and is.
func beforeAfter(before, after string) map[string]string {
	return map[string]string{"before": before, "after": after}
}

// readdressed notes that mail goes elsewhere, without saying where.
func readdressed(about map[string]string, old, now portal.Person) map[string]string {
	if old.Email != "" && old.Email != now.Email {
		about["address"] = "changed"
	}
	return about
}

func aboutUser(old, u portal.User) map[string]string {
	return readdressed(beforeAfter(string(old.Status), string(u.Status)), old.Person, u.Person)
}

func aboutAccount(old, a portal.Account) map[string]string {
	text := func(a portal.Account) string {
		if a.MFARequired {
			return string(a.Status) + " mfa_required"
		}
		return string(a.Status)
	}
	return beforeAfter(text(old), text(a))
}

func aboutMembership(old, m portal.Membership) map[string]string {
	return beforeAfter(spelled(old), spelled(m))
}

func aboutContact(old, c portal.Contact) map[string]string {
	text := func(c portal.Contact) string {
		return strings.TrimSpace(string(c.Status) + " " + listed("mail", c.Mails) + " " + listed("scope", refs(c.Scope)))
	}
	return readdressed(beforeAfter(text(old), text(c)), old.Person, c.Person)
}

// spelled is a membership's state, rights and choices of mail; "" of none.
func spelled(m portal.Membership) string {
	words := []string{string(m.State)}
	if m.Owner {
		words = append(words, "owner")
	} else {
		words = append(words, listed("presets", m.Grant.Presets))
	}
	words = append(words,
		listed("categories", m.Grant.Categories), listed("scope", refs(m.Grant.Scope)), listed("account_wide", m.Grant.AccountWide),
		moment("from", m.Grant.NotBefore), moment("until", m.Grant.NotAfter), listed("mail", m.Mail.On), listed("no_mail", m.Mail.Off))
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func listed(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return what + "=" + strings.Join(names, ",")
}

func moment(what string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return what + "=" + at.Format(time.RFC3339Nano)
}

func refs(all []portal.Ref) []string {
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = fmt.Sprint(r)
	}
	return texts
}
