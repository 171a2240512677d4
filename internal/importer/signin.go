package importer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"doorward/internal/portal"
)

// A signin is that a user has signed in, to an account if it is given (A13.13).
type signin struct {
	user    portal.UserID
	account portal.AccountID
	source  string // "": whoever's the user is
	at      time.Time
	ip      string // a digest
}

func (c signin) key() Key { return Key{Kind: KindSignin, ID: string(c.user)} }

// maxAhead is how far a clock of a portal may be ahead of ours.
const maxAhead = 5 * time.Minute

// signin reads that a user has signed in (A13.13).
func (in *upsertReader) signin(o object) signin {
	s := signin{user: portal.UserID(o.id("user")), source: in.meta.source, at: o.time("at")}
	if o.has("account") {
		s.account = portal.AccountID(o.id("account"))
	}
	if !o.has("at") {
		s.at = in.Now.UTC().Truncate(time.Microsecond)
	}
	if s.at.After(in.Now.Add(maxAhead)) {
		o.faultf("at", "Leave it out for now.", "lies ahead")
	}
	if s.at.IsZero() && o.has("at") && len(in.faults) == o.before {
		o.faultf("at", "Leave it out for now.", "is no time")
	}
	if o.has("ip") {
		s.ip = o.ip(in.Salt)
	}
	o.unknown("user", "account", "at", "ip")
	return s
}

// ip reads an address as the digest that the trail may have of it.
func (o object) ip(salt []byte) string {
	ip, err := netip.ParseAddr(o.value.Get("ip").Text())
	if err != nil {
		o.faultf("ip", "Write it as 192.0.2.7 or 2001:db8::7.", "is no address")
		return ""
	}
	digest := hmac.New(sha256.New, salt)
	digest.Write([]byte("ip " + ip.Unmap().WithZone("").String()))
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

// apply moves the last login of both, only forwards. One that came before is noted all
// the same; one that is the last already was reported twice.
func (c signin) apply(ctx context.Context, s *sitting) (Outcome, error) {
	u, m, err := c.who(ctx, s)
	if err != nil {
		return "", err
	}
	if u.LastLogin.Equal(c.at) && (c.account == "" || m.LastLogin.Equal(c.at)) {
		return Unchanged, nil
	}
	s.log(c.key(), Changed, portal.Origin{Source: c.source}, c.about())
	u.LastLogin = later(u.LastLogin, c.at)
	if err := s.tx.PutUser(ctx, u); err != nil || c.account == "" {
		return Changed, err
	}
	m.LastLogin = later(m.LastLogin, c.at)
	return Changed, s.tx.PutMembership(ctx, m)
}

// who finds who signed in.
func (c signin) who(ctx context.Context, s *sitting) (u portal.User, m portal.Membership, err error) {
	u, err = s.tx.User(ctx, c.user)
	known, err := found(err)
	switch {
	case err != nil:
		return u, m, err
	case !known:
		return u, m, conflictf("there is no user %s", c.user)
	case c.source != "":
		if err := sameSource("user "+string(c.user), u.Origin, c.source); err != nil {
			return u, m, err
		}
	}
	if c.account == "" {
		return u, m, nil
	}
	m, err = s.tx.Membership(ctx, c.account, c.user)
	if known, err := found(err); !known && err == nil {
		return u, m, conflictf("user %s is not a member of account %s", c.user, c.account)
	}
	return u, m, err
}

// about says to which account somebody signed in, and when. From where is a digest:
// whoever has the directory can tell whether two sign-ins came from one address.
func (c signin) about() map[string]string {
	return map[string]string{"account": string(c.account), "at": c.at.Format(time.RFC3339Nano), "ip_digest": c.ip}
}
