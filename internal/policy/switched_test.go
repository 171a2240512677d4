package policy_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/policy"
	"doorward/internal/policy/rules"
	"doorward/policies"
)

// A policy with a switch set otherwise is the one that loading the folder with it
// gives, to the digest.
func TestWithIsLoadWith(t *testing.T) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, switches := range []map[string]string{
		{"billing.pay": "false"},
		{"step_up.mode": "enforce", "closed.access": "read"},
		{"session.mfa_methods": "[otp]"},
	} {
		want, err := policy.LoadWith(policies.FS, switches)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.With(switches)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest != want.Digest || got.Digest == p.Digest {
			t.Errorf("%v: digest %s, want %s", switches, got.Digest, want.Digest)
		}
		if diff := cmp.Diff(want.Provider.Data(), got.Provider.Data()); diff != "" {
			t.Errorf("%v (-loaded +switched)\n%s", switches, diff)
		}
		twice, err := got.With(map[string]string{"direct_add": "false"})
		if err != nil || twice.Digest == got.Digest {
			t.Errorf("%v: set twice: %v", switches, err)
		}
	}
}

// What cannot be switched without loading is an error, and no half of it.
func TestWithRefuses(t *testing.T) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for name, switches := range map[string]map[string]string{
		"presets":  {"presets.all_adds": "[users]"},
		"unknown":  {"billing.play": "true"},
		"value":    {"billing.pay": "maybe"},
		"category": {"suspended.writes": "[invoicse]"},
	} {
		if got, err := p.With(switches); err == nil || got != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if _, err := p.With(map[string]string{"presets.all_adds": "[]"}); !errors.Is(err, rules.ErrSwitches) {
		t.Errorf("got %v", err)
	}
}
