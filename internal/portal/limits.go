package portal

import "slices"

// Limits are which questions a client may ask. A nil *Limits has none: it may ask all.
type Limits struct {
	// Accounts are those that questions may be about. Empty: all, and questions about
	// none.
	Accounts []AccountID
	// Types are those that the resource of a question may have. Empty: all.
	Types []string
}

// Admit tells whether a question about an account, "" when it is about none, and a
// resource of a type may be asked. Who is limited to some accounts may not ask about
// none: the answer would depend on what is known of a person beyond them.
func (l *Limits) Admit(account AccountID, resourceType string) bool {
	if l == nil {
		return true
	}
	return l.AdmitType(resourceType) && (len(l.Accounts) == 0 || slices.Contains(l.Accounts, account))
}

// AdmitType tells whether a question about a resource of a type may be asked, of some
// account.
func (l *Limits) AdmitType(resourceType string) bool {
	return l == nil || len(l.Types) == 0 || slices.Contains(l.Types, resourceType)
}
