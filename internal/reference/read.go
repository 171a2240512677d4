package reference

import (
	"strings"
	"time"

	"doorward/internal/portal"
)

// The parts of a question that mean something, read.
type parts struct {
	account    string // which the question is about; "": none
	actingOn   string // context.account
	mfa        bool
	authTime   time.Time // zero: not told
	by         portal.Ref
	until      time.Time
	department string
}

// read reads the question (docs/authzen.md). False is bad_input: a guard must not
// fail to fire because a value has the wrong type.
func (s *situation) read() bool {
	return s.readAccount() && s.readMember() && s.readLogin() && s.readActor() && s.readTicket()
}

// readAccount finds the account: the resource, else its property, else the
// acting one (design 3.2).
func (s *situation) readAccount() bool {
	var ok bool
	if s.actingOn, ok = accountIn(s.Context); !ok {
		return false
	}
	switch {
	case s.Resource.Type == portal.TypeAccount:
		s.account = s.Resource.ID
	case strings.EqualFold(strings.TrimSpace(s.Resource.Type), portal.TypeAccount):
		return false // account, misspelt
	default:
		if s.account, ok = accountIn(s.Properties); !ok {
			return false
		}
	}
	if s.account == "" {
		s.account = s.actingOn
	}
	return true
}

// readMember refuses a managed member that is named by another type than user
// (invariant 7). On the account the question is whether one manages people at all.
func (s *situation) readMember() bool {
	switch s.name {
	case "user.permissions.view", "user.permissions.update", "user.remove":
		return s.Resource.Type == portal.TypeUser || s.Resource.Type == portal.TypeAccount
	}
	return true
}

// accountIn is the account that an object names. Null is no way to name none.
func accountIn(object map[string]any) (string, bool) {
	value, there := object["account"]
	if !there {
		return "", true
	}
	name, ok := value.(string)
	return name, ok && portal.ValidName(name)
}

// acting compares the acting account with the question's: absent, same or other.
func (s *situation) acting() string {
	switch s.actingOn {
	case "":
		return "absent"
	case s.account:
		return "same"
	}
	return "other"
}

// readLogin reads how and when the person signed in.
func (s *situation) readLogin() bool {
	if amr := s.Context["amr"]; amr != nil {
		methods, ok := amr.([]any)
		if !ok {
			return false
		}
		for _, m := range methods {
			method, ok := m.(string)
			if !ok {
				return false
			}
			s.mfa = s.mfa || has(strings.Join(s.MFAMethods, " "), method)
		}
	}
	if at := s.Context["auth_time"]; at != nil {
		seconds, ok := at.(int64)
		if !ok {
			return false
		}
		s.authTime = time.Unix(seconds, 0)
	}
	return true
}

// readActor reads who acts in the subject's name (A13.19): a ticket and an expiry
// are required.
func (s *situation) readActor() bool {
	if s.Context["actor"] == nil {
		return true
	}
	actor, ok := s.Context["actor"].(map[string]any)
	if !ok {
		return false
	}
	typ, _ := actor["type"].(string)
	id, _ := actor["id"].(string)
	if !portal.ValidName(typ) || !portal.ValidName(id) {
		return false
	}
	by := portal.Ref{Type: typ, ID: id}
	if by == s.Subject {
		return true // everybody acts in their own name
	}
	properties, _ := actor["properties"].(map[string]any)
	ticket, _ := properties["ticket"].(string)
	until, isTime := properties["expires_at"].(int64)
	if !portal.ValidName(ticket) || !isTime {
		return false
	}
	s.by, s.until = by, time.Unix(until, 0)
	return true
}

// readTicket reads a ticket's department (A13.5), a text of at most 256 bytes
// (ADR 4).
func (s *situation) readTicket() bool {
	if !s.guardedBy("tickets") || s.class != "guarded" || s.Properties["department"] == nil {
		return true
	}
	department, ok := s.Properties["department"].(string)
	s.department = strings.ToLower(department)
	return ok && len(department) <= 256
}

// fresh tells whether the login is recent: no older than the provider says, and
// not more than a minute ahead of our clock.
func (s *situation) fresh() bool {
	if s.authTime.IsZero() {
		return false
	}
	age := s.now.Sub(s.authTime)
	return age <= s.StepUpMaxAge && age >= -time.Minute
}
