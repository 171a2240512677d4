package generate

// mailboxes are the contacts that accounts have, which never log in (req 17).
var mailboxes = []struct {
	in1000 int
	local  string
	mails  []string
	scoped bool
}{
	{300, "billing", []string{"invoice"}, false},
	{90, "hostmaster", []string{"domain", "product"}, true},
	{60, "office", []string{"general", "support"}, false},
}

// contacts writes the account's contacts.
func (w *writer) contacts(d dice, c customer) {
	for _, box := range mailboxes {
		if !d.in1000(box.in1000) {
			continue
		}
		line := contactLine{
			Kind: "contact", ID: "c-" + c.id + "-" + box.local, Account: c.id, Email: box.local + "@" + c.domain,
			Emails: map[string]bool{}, CreatedAt: w.stamp(w.since(d, c.created)),
		}
		for _, name := range w.words.mails {
			for _, wanted := range box.mails {
				if name == wanted {
					line.Emails[name] = true
				}
			}
		}
		if d.in1000(400) {
			line.FirstName, line.LastName = pick(d, firstNames).written, pick(d, lastNames).written
		}
		if box.scoped {
			line.Scope = []string{"domain:" + c.domain}
		}
		if d.in1000(30) {
			line.Status = "removed"
		}
		w.summary.Contacts++
		w.write(line)
	}
}
