package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// ofLogin changes what is told of the login.
func (s subject) ofLogin() []candidate {
	methods := s.Policy.Provider.MFAMethods()
	list := []candidate{
		inContext(ofSession, "sign in with one factor only (context.amr)", ijson.ArrayValue(ijson.StringValue("pwd")), "amr"),
		inContext(ofSession, "sign in again (context.auth_time)", seconds(s.Now), "auth_time"),
		inContext(ofSession, "let the login grow old (context.auth_time)", seconds(time.Unix(0, 0)), "auth_time"),
	}
	if len(methods) > 0 {
		second := inContext(ofSession, "sign in with a second factor (context.amr with "+methods[0]+")",
			ijson.ArrayValue(ijson.StringValue("pwd"), ijson.StringValue(methods[0])), "amr")
		list = append([]candidate{second}, list...)
	}
	return list
}

func seconds(t time.Time) ijson.Value {
	return ijson.NumberValue(strconv.FormatInt(t.Unix(), 10))
}

// ofActing changes the account acted on (104, invariant 6).
func (s subject) ofActing() []candidate {
	list := []candidate{
		s.actingNowhere(),
		inContext(ofSession, "act on another account (context.account)", ijson.StringValue(elsewhereAccount), "account"),
	}
	if s.Account != "" {
		list = slices.Insert(list, 0, s.switching())
	}
	return list
}

// actingNowhere names no account acted on. Where that was the question's only account,
// nothing of an account is read any more.
func (s subject) actingNowhere() candidate {
	leave := inContext(ofSession, "name no account acted on (no context.account)", ijson.Value{}, "account")
	r := s.Question.Resource
	if r.Type == portal.TypeAccount || r.Properties.Get("account").Kind() != ijson.Absent {
		return leave
	}
	return candidate{leave.of, leave.text, func(c *decision.Case) {
		leave.apply(c)
		c.People.Subject = portal.Facts{User: c.People.Subject.User}
	}}
}

// switching acts on the account that the question is about.
func (s subject) switching() candidate {
	account := string(s.Account)
	return inContext(ofSession, "act on "+account+" (context.account)", ijson.StringValue(account), "account")
}

// switched are the candidates, each with the switch to the question's account before
// it: what a portal does first with switch_required, and what may not be enough.
func (s subject) switched(candidates []candidate) []candidate {
	first := s.switching()
	var list []candidate
	for _, c := range candidates {
		list = append(list, candidate{c.of, first.text + ", and then " + c.text, func(changed *decision.Case) {
			first.apply(changed)
			c.apply(changed)
		}})
	}
	return list
}

// elsewhereAccount is an account of a name that a stored one cannot have.
const elsewhereAccount = "another account"

// ofActor changes who acts in the subject's name (A13.19).
func (s subject) ofActor() []candidate {
	if s.Question.Context.Get("actor").Kind() == ijson.Absent {
		return nil
	}
	list := []candidate{inContext(ofSession, "let nobody act in their name (no context.actor)", ijson.Value{}, "actor")}
	if s.Actor == (portal.Ref{}) {
		return list
	}
	to := func(text string, change func(*portal.UserFacts)) candidate {
		return candidate{ofSession, text, func(c *decision.Case) { change(&c.People.Actor) }}
	}
	rights := append(s.People.Actor.Staff.Actions(), decision.RightLoginAs)
	return append(list,
		inContext(ofSession, "let who acts in their name have more time (context.actor)", seconds(s.Now.Add(time.Hour)), "actor", "properties", "expires_at"),
		inContext(ofSession, "let the time of who acts in their name be over (context.actor)", seconds(s.Now), "actor", "properties", "expires_at"),
		to("give "+s.Actor.String()+" the staff right "+decision.RightLoginAs, func(u *portal.UserFacts) { u.Staff = portal.NewStaffRights(rights...) }),
		to("enable the user "+s.Actor.String(), func(u *portal.UserFacts) { u.Status = portal.UserActive }),
		to("disable the user "+s.Actor.String(), func(u *portal.UserFacts) { u.Status = portal.UserDisabled }))
}

// ofRequest sets the parts of the question that rules may read to each of their
// samples, and leaves them out.
func (s subject) ofRequest() []candidate {
	var list []candidate
	for _, leaf := range s.Policy.Rules.Schema().Request {
		if !leaf.For(s.action.Name) {
			continue
		}
		name := strings.Join(leaf.Path, ".")
		list = append(list, inQuestion("leave out "+name, leaf.Path, ijson.Value{}))
		for _, sample := range leaf.Samples {
			list = append(list, inQuestion("send "+name+": "+sample.Text, leaf.Path, sent(sample)))
		}
	}
	return list
}

// sent is a value as a portal sends it.
func sent(v rules.Value) ijson.Value {
	switch v.Type {
	case rules.Boolean:
		return ijson.BoolValue(v.Text == "true")
	case rules.Number:
		return ijson.NumberValue(v.Text)
	}
	return ijson.StringValue(v.Text)
}

// inQuestion sets what stands at a declared path.
func inQuestion(text string, path []string, value ijson.Value) candidate {
	return candidate{ofRequest, text, func(c *decision.Case) {
		q := &c.Question
		switch path[0] {
		case "context":
			q.Context = with(q.Context, path[1:], value)
		case "subject":
			q.Subject.Properties = with(q.Subject.Properties, path[2:], value)
		case "action":
			q.Action.Properties = with(q.Action.Properties, path[2:], value)
		default:
			q.Resource.Properties = with(q.Resource.Properties, path[2:], value)
		}
	}}
}

// ofAccount changes the account.
func (s subject) ofAccount() []candidate {
	if s.Account == "" {
		return nil
	}
	facts := s.People.Subject.Account
	var list []candidate
	to := func(text string, change func(*portal.AccountFacts)) {
		list = append(list, candidate{ofAccount, text, func(c *decision.Case) { change(&c.People.Subject.Account) }})
	}
	if facts.Status == "" {
		to("bring the account into the directory", func(a *portal.AccountFacts) { a.Status = portal.AccountActive })
		return list
	}
	for _, status := range []portal.AccountStatus{portal.AccountActive, portal.AccountSuspended, portal.AccountClosed} {
		if status != facts.Status {
			to(becoming[status], func(a *portal.AccountFacts) { a.Status = status })
		}
	}
	if facts.MFARequired {
		to("let the account not require a second factor", func(a *portal.AccountFacts) { a.MFARequired = false })
	} else {
		to("let the account require a second factor", func(a *portal.AccountFacts) { a.MFARequired = true })
	}
	return list
}

// becoming says how an account gets a status.
var becoming = map[portal.AccountStatus]string{
	portal.AccountActive: "make the account active", portal.AccountSuspended: "suspend the account", portal.AccountClosed: "close the account",
}

// ofSwitches sets each of the provider's switches otherwise that has few answers. One
// that the rules cannot have changes nothing, and so is not listed. The policy is made
// when its turn comes: that takes long.
func (s subject) ofSwitches() []candidate {
	var list []candidate
	for _, choice := range s.Policy.Provider.Choices() {
		for _, other := range choice.Others {
			text := fmt.Sprintf("set %s to %s (%s:%d says %s)", choice.Name, other, choice.File, choice.Line, choice.Value)
			list = append(list, candidate{ofProvider, text, func(c *decision.Case) {
				if switched, err := c.Policy.With(map[string]string{choice.Name: other}); err == nil {
					c.Policy = switched
				}
			}})
		}
	}
	return list
}
