package decision

import (
	"slices"
	"strconv"
	"time"

	"doorward/internal/ijson"
	"doorward/internal/policy/provider"
)

// A session is what the asker told of the subject's login (RFC 8176 amr and
// OpenID Connect's auth_time, in the question's context).
type session struct {
	mfa      bool
	authTime time.Time // zero: not told
}

// clockSkew is how far in the future a login may lie: clocks differ.
const clockSkew = time.Minute

// readSession reads the login. It returns false when a part of it has the wrong
// type: a guard must not fail to fire because of a typo.
func (c *consideration) readSession(p *provider.Provider) bool {
	context := c.question.Context
	amr, authTime := context.Get("amr"), context.Get("auth_time")
	switch amr.Kind() {
	case ijson.Absent, ijson.Null:
	case ijson.Array:
		for _, method := range amr.Items() {
			if method.Kind() != ijson.String {
				return false
			}
			c.session.mfa = c.session.mfa || slices.Contains(p.MFAMethods(), method.Text())
		}
	default:
		return false
	}
	switch authTime.Kind() {
	case ijson.Absent, ijson.Null:
		return true
	case ijson.Number:
		seconds, err := strconv.ParseInt(authTime.Text(), 10, 64)
		if err != nil {
			return false
		}
		c.session.authTime = time.Unix(seconds, 0)
		return true
	}
	return false
}

// fresh tells whether the login is recent enough for sensitive actions.
func (s session) fresh(now time.Time, maxAge time.Duration) bool {
	if s.authTime.IsZero() {
		return false
	}
	age := now.Sub(s.authTime)
	return -clockSkew <= age && age <= maxAge
}
