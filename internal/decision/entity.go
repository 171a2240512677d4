package decision

import (
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// Questions about entity actions are about no account: their subjects and resources are
// the policy's own. A user of the directory with such a name is somebody else.

// entities are what a policy knows of the subject and of the resource of an entity
// action; nothing for all other actions, which read nothing of it.
type entities struct{ subject, resource entity }

// An entity is what is stored of it, parallel to the request, if the policy lists it.
type entity struct {
	stored []rules.Value
	listed bool
}

// findEntities finds what is stored of those whom the question names.
func (c *consideration) findEntities(p *policy.Policy) {
	if c.plan.action.Class != catalogue.Entity {
		return
	}
	c.entities.subject.stored, c.entities.subject.listed = p.Entities.Subject(c.question.Subject.Ref)
	c.entities.resource.stored, c.entities.resource.listed = p.Entities.Resource(c.question.Resource.Ref)
}

// at is what is stored at the i-th declared part; the zero Value when nothing is.
func (e *entities) at(i int, leaf *rules.RequestLeaf) rules.Value {
	switch root := leaf.Path[0]; {
	case root == "subject" && e.subject.listed:
		return e.subject.stored[i]
	case root == "resource" && e.resource.listed:
		return e.resource.stored[i]
	}
	return rules.Value{}
}

// refuseEntities tells why a question about an entity action is not one for the rules;
// "" when it is. Rules need not, and could not, see who is known: whom the policy does
// not list may do nothing, as nothing may be done to what it does not list. A question
// that names an account is none of these: a client that may only ask about some accounts
// gets no answer by adding one.
func (c *consideration) refuseEntities() Reason {
	a := c.plan.action
	switch {
	case c.key.Account != "", c.acting.by != portal.Ref{}, c.question.Resource.Type != a.Entity:
		return BadInput
	case !c.entities.subject.listed:
		return SubjectUnknown
	case !c.entities.resource.listed && !a.Unlisted:
		return OutOfScope
	}
	return ""
}

// reduceEntity makes the input of a question about an entity action. No facts of the
// directory are in it.
func (c *consideration) reduceEntity(p *policy.Policy, now Moment) rules.Input {
	return rules.EntityInput(actionFacts(c.plan.action), subjectType(c.question.Subject.Type),
		c.session.mfa, c.session.fresh(now.Latest, p.Provider.StepUpMaxAge()), c.plan.noHas, c.request)
}
