package importer

import (
	"slices"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// An upsertReader reads records that come without a file. The line of a fault is the
// record's place, from 1.
type upsertReader struct {
	*reader
	UpsertOptions
	out *Upsert
	// accounts are those whose records say what their owners chose to be sent.
	accounts []accountEntry
}

type accountEntry struct {
	n    int
	plan accountPlan
}

// read reads one record.
func (in *upsertReader) read(n int, v ijson.Value) {
	if v.Kind() != ijson.Object {
		in.faultf(n+1, "", "must be an object, not %s", v.Kind())
		return
	}
	in.notes = newNotes()
	in.meta.source = in.Source
	o := in.object(Record{n + 1, v})
	if o.has("source") {
		in.meta.source = v.Get("source").Text()
		if !ValidSource(in.meta.source) {
			o.faultf("source", `Name the system it comes from, as in "source":"whmcs".`, "is no short lower-case name")
		}
	}
	o.value = without(v, "source")
	switch Kind(o.kind) {
	case KindUser:
		in.add(n, userChange{o.wholeUser()})
	case KindAccount:
		in.account(n, o)
	case KindMembership:
		m := o.membership()
		o.storable(directory.CheckMembership(m.Membership))
		if m.State == portal.MembershipRemoved {
			clear(in.notes.warnings) // what they would have does not matter
		}
		in.add(n, memberChange{memberPlan: m})
	case KindContact:
		in.add(n, contactChange{o.wholeContact()})
	case KindSignin:
		in.add(n, in.signin(o))
	default:
		o.faultf("kind", hint(o.kind, kinds), "must be one of %s, not %s", strings.Join(kinds, ", "), quote(o.kind))
	}
	in.warn(n)
}

func (in *upsertReader) add(n int, c change) {
	in.out.entries = append(in.out.entries, entry{n, c})
}

// warn keeps what reading the record found to report.
func (in *upsertReader) warn(n int) {
	for _, w := range in.notes.list() {
		in.out.warnings = append(in.out.warnings, Finding{Record: n, Text: w.Message})
	}
	if len(in.notes.ignored) == 0 {
		return
	}
	var names []string
	for name := range in.notes.ignored {
		_, name, _ = strings.Cut(name, "/")
		names = append(names, quote(name))
	}
	slices.Sort(names)
	names = names[:min(len(names), maxWarningLines)]
	in.out.warnings = append(in.out.warnings, Finding{Record: n, Text: "ignored, because it means nothing here: " + strings.Join(names, ", ")})
}

// ValidSource tells whether a source of records may be called that.
func ValidSource(name string) bool { return sourceName.MatchString(name) }

// without returns the object without a member.
func without(v ijson.Value, name string) ijson.Value {
	return ijson.ObjectValue(slices.DeleteFunc(slices.Clone(v.Members()), func(m ijson.Member) bool { return m.Name == name })...)
}

// address refuses an address that would put the record into quarantine, unless it was
// refused already.
func (o object) address(email string) {
	refused := func(f fault.Fault) bool { return f.Pointer == "/email" }
	if why := emailFault(email); why != "" && !slices.ContainsFunc(o.in.faults[o.before:], refused) {
		o.faultf("email", "", "%s", why) // without it: what is answered is logged, too (S43)
	}
}

func (o object) wholeUser() userPlan {
	u := o.user()
	if u.Status != portal.UserDisabled {
		o.address(u.Person.Email)
	}
	o.storable(directory.CheckUser(u.User))
	return u
}

func (o object) wholeContact() contactPlan {
	if o.flag("subaccount") {
		o.faultf("subaccount", "Put a user and a membership besides.", "a contact never logs in")
	}
	c := o.contact()
	if c.Status != portal.ContactRemoved {
		o.address(c.Person.Email)
	}
	o.storable(directory.CheckContact(c.Contact))
	return c
}

// account reads an account, and who owns it if the record says so.
func (in *upsertReader) account(n int, o object) {
	owner := portal.UserID("")
	if o.has("owner") {
		owner = portal.UserID(o.id("owner"))
	}
	o.value = without(o.value, "owner")
	plan := o.account()
	o.storable(directory.CheckAccount(plan.account))
	in.add(n, accountChange{plan})
	if owner != "" {
		m := memberPlan{stateGiven: true, Membership: portal.Membership{
			Account: plan.account.ID, User: owner, State: portal.MembershipActive, Owner: true,
			Grant: portal.Grant{Presets: []string{ownerPreset}}, Origin: o.origin(),
		}}
		in.add(n, memberChange{memberPlan: m, implied: true})
	}
	if plan.preferred {
		in.accounts = append(in.accounts, accountEntry{n, plan})
	}
}

// prefer gives what an account's record says of mail to the record of its owner, or else
// to whoever owns it in the directory.
func (in *upsertReader) prefer() {
	for _, a := range in.accounts {
		in.add(a.n, preferences{a.plan})
		for i, e := range in.out.entries {
			if m, ok := e.change.(memberChange); ok && m.Owner && m.Account == a.plan.account.ID {
				m.memberPlan = a.plan.member(m.memberPlan)
				in.out.entries[i].change = m
				in.out.entries = in.out.entries[:len(in.out.entries)-1]
				break
			}
		}
	}
}

// refuseTwice refuses to be told of one thing twice: which of the two counts would be
// anybody's guess. Of sign-ins there may be many.
func (in *upsertReader) refuseTwice() {
	if len(in.faults) > 0 {
		return // what has no id looks like any other
	}
	first := map[Key]int{}
	for _, e := range in.out.entries {
		key := e.key()
		if _, late := e.change.(preferences); late || key.Kind == KindSignin {
			continue
		}
		if n, twice := first[key]; twice {
			in.faultf(e.n+1, "Put what both say into one.", "%s is in record %d already", key, n)
		}
		first[key] = e.n
	}
}

// findings are faults by record.
func findings(faults fault.List) []Finding {
	all := make([]Finding, len(faults))
	for i, f := range faults {
		all[i] = Finding{Record: f.Line - 1, Pointer: f.Pointer, Text: f.Message}
		if f.Fix != "" {
			all[i].Text += ". " + f.Fix
		}
	}
	return all
}
