package portal

import "time"

// A ContactID names a contact. It compares byte for byte, and is one contact in
// all accounts.
type ContactID string

// A Contact is a person or a mailbox of one account that receives mail. It has no
// credential and never acts (req 15-17).
type Contact struct {
	ID      ContactID
	Account AccountID
	Status  ContactStatus
	// Person needs only the e-mail address: a contact may be a department (req 20).
	Person Person
	// Mails are the mail categories it is subscribed to, by name (req 21).
	Mails []string
	// Scope lists the domains or services whose mail it receives (req 25). Empty:
	// all of the account.
	Scope     []Ref
	Origin    Origin
	CreatedAt time.Time
}

// ContactStatus tells whether a contact is in use. The zero value is no contact.
type ContactStatus string

// The statuses of a contact.
const (
	ContactActive  ContactStatus = "active"
	ContactRemoved ContactStatus = "removed"
)
