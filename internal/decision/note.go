package decision

import (
	"time"

	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A Noter hears that a member was allowed something on an account, at a time that is not
// after now (requirements 95, 116; R12). It is called for every such answer before that is
// given, so it must neither wait nor fail. The ids are not its own to keep: they may lie in
// the text of the question.
type Noter func(account portal.AccountID, user portal.UserID, at time.Time)

// hear has a use noted, if the answer tells of one.
func (n Noter) hear(known Known, c *consideration, a Answer) {
	if n != nil && a.Err == nil && a.Decision.Allow && c.uses() {
		n(c.key.Account, portal.UserID(c.question.Subject.ID), known.Now.Earliest)
	}
}

// uses tells whether to be allowed this is to use one's membership. What others do in a
// member's name, what staff may do in any account, what concerns the person alone, and mail
// that is sent to a member are no use.
func (c *consideration) uses() bool {
	a := c.plan.action
	return c.asMember && c.acting.by == (portal.Ref{}) && a.Class != catalogue.Receive && a.Self != portal.TypeUser
}
