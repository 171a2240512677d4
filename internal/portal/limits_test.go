package portal

import "testing"

func TestLimitsAdmit(t *testing.T) {
	accounts, types := []AccountID{"a", "b"}, []string{"account", "service"}
	for _, c := range []struct {
		limits  *Limits
		account AccountID
		typ     string
		want    bool
	}{
		{nil, "", "x", true},
		{&Limits{Accounts: accounts}, "a", "anything", true},
		{&Limits{Accounts: accounts}, "A", "account", false}, // S14
		{&Limits{Accounts: accounts}, "", "user", false},
		{&Limits{Types: types}, "", "service", true},
		{&Limits{Types: types}, "c", "user", false},
		{&Limits{Types: types}, "c", "Service", false},
		{&Limits{accounts, types}, "b", "service", true},
		{&Limits{accounts, types}, "b", "user", false},
		{&Limits{accounts, types}, "c", "service", false},
	} {
		if got := c.limits.Admit(c.account, c.typ); got != c.want {
			t.Errorf("%+v, account %q, type %q: %v", c.limits, c.account, c.typ, got)
		}
	}
}
