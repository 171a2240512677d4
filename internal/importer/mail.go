package importer

import (
	"slices"

	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// securityMail is the mail category that is nobody's choice: members are always sent
// it, contacts never (D2).
const securityMail = "security"

// mails reads flags by mail category, as in {"invoice":true,"domain":false}, in the
// catalogue's order. given is false when the file does not say: then an import leaves
// the choices as they are.
func (g grants) mails(o object, member string) (chosen portal.MailChoices, given bool) {
	flags := o.value.Get(member)
	switch flags.Kind() {
	case ijson.Absent, ijson.Null:
		return chosen, false
	case ijson.Object:
	default:
		o.faultf(member, `Write it as {"invoice":true,"domain":false}.`, "must be an object, not %s", flags.Kind())
		return chosen, false
	}
	g.refuseMails(o, member, flags)
	for _, mail := range g.cat.Mails {
		switch flag := flags.Get(mail.Name); {
		case flag.Kind() == ijson.Absent, flag.Kind() == ijson.Null:
		case o.boolean(member+"/"+mail.Name, flag):
			chosen.On = append(chosen.On, mail.Name)
		default:
			chosen.Off = append(chosen.Off, mail.Name)
		}
	}
	return chosen, true
}

// refuseMails refuses names that are no mail category, and the one that is nobody's
// choice.
func (g grants) refuseMails(o object, member string, flags ijson.Value) {
	known := make([]string, len(g.cat.Mails))
	for i, mail := range g.cat.Mails {
		known[i] = mail.Name
	}
	for _, m := range flags.Members() {
		if !slices.Contains(known, m.Name) {
			o.faultf(member, hint(m.Name, known), "there is no mail category %s", quote(m.Name))
		}
		if m.Name == securityMail {
			o.faultf(member+"/"+securityMail, "Leave it out.", "members are always sent it, and contacts never")
		}
	}
}
