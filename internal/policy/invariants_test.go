package policy_test

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policy/rules"
	"doorward/policies"
)

// An edited is a text of a file and what stands in its place.
type edited struct{ file, old, new string }

const (
	decisionFile = "rules/decision.rego"
	guardrails   = "rules/guardrails.rego"
	providerFile = "provider.yaml"
	contactsFile = "rules/contacts.rego"
	staffFile    = "rules/staff.rego"
	selfFile     = "rules/self.rego"
	mailFile     = "rules/mail.rego"
)

// overrides sets switches otherwise.
func overrides(lines string) edited {
	return edited{providerFile, "  delegation.inviters: administrators", lines}
}

// never makes a refusal that never applies of one that begins so.
func never(file, line string) edited {
	return edited{file, line, line + "\n\tinput.session.mfa == true\n\tinput.session.mfa == false"}
}

// mutants are ways to break the shipped policy, by the invariant that each breaks.
var mutants = map[string][]edited{
	// invariant 1
	"no_membership_no_grant": {
		{decisionFile, "	input.grant.state == \"expired\"\n", "	input.grant.state == \"expired\"\n	input.action.effect == \"write\"\n"},
		{decisionFile, "	input.grant.holds == false\n	not held", "	input.grant.holds == false\n	input.grant.state != \"expired\"\n	not held"},
		{decisionFile, "	input.grant.state == \"active\"\n	held\n", "	input.grant.state in {\"active\", \"expired\"}\n"},
	},
	// invariant 2, req 7, req 14, req 60
	"the_owner_may": {{decisionFile, "	provider.billing.pay == false\n	input.subject.kind != \"owner\"", "	provider.billing.pay == true"}},
	// invariant 3, req 16, A13.8
	"contacts_never_act": {{contactsFile, "	provider.contacts.mode == \"limited\"", "	provider.contacts.mode != \"limited\""}},
	// req 22
	"contacts_receive_what_they_chose": {{contactsFile, "	input.grant.subscribed == \"chosen\"\n", ""}},
	// invariant 6, req 104
	"one_acts_where_one_is": {
		{decisionFile, "	input.session.acting == \"other\"\n	input.grant.state == \"active\"", "	input.session.acting == \"other\"\n	input.grant.state == \"active\"\n	input.action.effect == \"write\""},
		{decisionFile, "else := \"not_member\" if {\n	input.session.acting == \"other\"", "else := \"not_member\" if {\n	input.session.acting == \"other\"\n	input.action.effect == \"write\""},
	},
	// invariant 6, req 104
	"acting_is_said": {
		overrides("  delegation.inviters: administrators\n  session.require_acting: true"),
		never(decisionFile, "	input.session.acting == \"absent\""),
	},
	// invariant 7
	"nobody_edits_themselves": {{guardrails, "input.resource.member == \"self\"\n	input.action.effect == \"write\"", "input.resource.member == \"self\"\n	input.action.effect == \"read\""}},
	// invariant 7, req 8
	"nobody_edits_the_owner": {never(guardrails, "	input.resource.member == \"owner\"")},
	// A13.7
	"managers_are_the_owners": {never(decisionFile, "	input.resource.member == \"manager\"")},
	// invariant 7, A13.7
	"grantors_cover_what_they_edit": {never(guardrails, "	input.resource.member == \"exceeding\"")},
	// C6, req 81
	"people_are_the_owners": {
		overrides("  delegation.inviters: owner"),
		never(decisionFile, "	input.action.category == \"users\""),
	},
	// req 8, req 105
	"ownership_is_the_owners": {{decisionFile, "	input.action.category == \"ownership\"\n", "	input.action.category == \"ownership\"\n	input.grant.holds == false\n"}},
	// req 8
	"the_owner_stays": {never(guardrails, "	input.action.name == \"membership.leave\"")},
	// invariant 10, req 112
	"second_factor_is_shown": {{decisionFile, "	input.account.mfa_required == true\n", "	input.account.mfa_required == true\n	input.action.category != \"tickets\"\n"}},
	// invariant 11, A13.15
	"closed_accounts_stay_as_they_are": {
		overrides("  delegation.inviters: administrators\n  closed.access: read"),
		{decisionFile, "	provider.closed.access == \"read\"\n	input.action.effect == \"read\"", "	provider.closed.access == \"read\""},
	},
	// invariant 11, A13.15
	"closed_accounts_show_nothing": {{selfFile, "	input.action.name == \"account.summary.view\"", "	input.action.name == \"membership.leave\"\n	input.action.effect == \"read\""}},
	// A13.15
	"suspended_accounts_are_looked_at": {{decisionFile, "input.action.category in provider.suspended.writes", "input.action.category in {\"invoices\", \"payment_methods\", \"tickets\", \"orders\"}"}},
	// req 104
	"accounts_that_are_not_there_give_nothing": {
		{staffFile, "	input.account.status == \"unknown\"", "	input.account.status == \"unknown\"\n	input.action.category == \"staff\""},
	},
	// invariant 13
	"sensitive_is_audited": {never("rules/obligations.rego", "	input.action.sensitive == true\n	reason == \"\"")},
	// invariant 13
	"sensitive_wants_a_recent_login": {
		overrides("  delegation.inviters: administrators\n  step_up.mode: enforce"),
		{"rules/obligations.rego", "	input.session.mfa_fresh == false\n	provider", "	input.session.mfa_fresh == false\n	input.action.effect == \"read\"\n	provider"},
	},
	// A13.19
	"the_owners_own_stays_theirs": {{guardrails, "input.action.category in {\"ownership\", \"security\"}", "input.action.category in {\"ownership\"}"}},
	// A13.19
	"secrets_stay_with_the_owner": {never(guardrails, "	input.action.name == \"password.reveal\"")},
	// A13.19
	"only_staff_act_in_the_owners_name": {never(staffFile, "	input.session.actor == \"expired\"")},
	// A13.19
	"staff_act_for_owners": {never(staffFile, "	input.session.actor == \"staff\"")},
	// A13.19
	"staff_actions_are_for_staff": {
		{decisionFile, "	input.action.category == \"staff\"\n	input.subject.staff_may == false", "	input.action.category == \"staff\"\n	input.subject.staff_may == false\n	input.action.name != \"staff.read\""},
	},
	// A13.15
	"only_the_known_and_enabled": {
		{decisionFile, "	input.subject.status == \"disabled\"", "	input.subject.status == \"disabled\"\n	input.action.effect == \"write\""},
		{decisionFile, "	input.subject.type == \"user\"\n	input.subject.status == \"active\"\n", "	input.subject.type == \"user\"\n"},
	},
	// A13.18
	"what_is_ones_own_is_nobody_elses": {
		{selfFile, "	input.resource.own == false\n", "	input.resource.own == false\n	input.action.name != \"account.list\"\n"},
		{selfFile, "	input.subject.status == \"active\"\n	input.resource.own == true", "	input.subject.status == \"active\""},
	},
	// req 47, req 49, req 50, C5
	"guards_are_held": {{decisionFile, "held if cancels_by_ordering\n", "held if cancels_by_ordering\n\nheld if input.action.name == \"domain.renew\"\n"}},
	// A13.16
	"scopes_are_kept": {never(decisionFile, "	input.grant.in_scope == \"no\"")},
	// req 109, D2
	"mail_is_wanted": {{mailFile, "	input.grant.subscribed in {\"chosen\", \"by_default\"}\n", "	input.grant.subscribed in {\"chosen\", \"by_default\", \"declined\"}\n"}},
	// A13.5
	"billing_stays_with_billing": {never(decisionFile, "	lower(input.request.resource.properties.department) == \"billing\"")},
}

// Every shipped invariant refuses a policy that breaks it, alone, at its own line.
func TestEveryInvariantRefuses(t *testing.T) {
	shipped, err := policy.LoadProfile(policies.FS, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range shipped.Rules.Invariants() {
		if mutants[name] == nil {
			t.Errorf("no mutant breaks %s", name)
		}
	}
	for name, edits := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := folder(t)
			for _, e := range edits {
				edit(t, files, e.file, e.old, e.new)
			}
			p, err := policy.Read(files).LoadChecked()
			faults, _ := errors.AsType[fault.List](err)
			if p != nil || len(faults) != 1 {
				t.Fatalf("%v, want %s alone", err, name)
			}
			lines := strings.Split(string(files[faults[0].File].Data), "\n")
			if !strings.Contains(lines[faults[0].Line-1], `"`+name+`"`) || !strings.HasPrefix(faults[0].Message, name+" does not hold: ") {
				t.Errorf("%v, want %s and its line", err, name)
			}
			t.Log(faults[0].Message)
		})
	}
}

// Every profile holds the invariants, and answers: in pairs of facts, but for the race
// detector, under which that takes minutes and which has seen it all with single ones;
// make check has the pairs.
func TestEveryProfileHoldsTheInvariants(t *testing.T) {
	profiles, err := fs.Glob(policies.FS, "profiles/*.yaml")
	if err != nil || len(profiles) != 5 {
		t.Fatalf("got %v, %v", profiles, err)
	}
	depth, least := rules.InPairs, 10000
	if underRace {
		depth, least = rules.Singly, 2000
	}
	for _, file := range profiles {
		t.Run(path.Base(file), func(t *testing.T) {
			p, err := policy.LoadProfile(policies.FS, strings.TrimSuffix(path.Base(file), ".yaml"), nil)
			if err != nil {
				t.Fatal(err)
			}
			checked, err := p.Rules.CheckInvariants(t.Context(), depth)
			if err != nil || checked.Err() != nil || checked.Inputs < least {
				t.Errorf("%v, %v, %d inputs", err, checked.Err(), checked.Inputs)
			}
			t.Logf("%d inputs", checked.Inputs)
		})
	}
}

// An input that the rules do not answer is a fault of the rules; so is an invariant
// that somebody adds and that does not hold.
func TestWhatElseRefusesAPolicy(t *testing.T) {
	for name, c := range map[string]struct {
		edits []edited
		want  string
	}{
		"no answer": {
			[]edited{never(decisionFile, "	input.session.acting == \"other\"\n	input.grant.state == \"active\""), {decisionFile, "else := \"not_member\" if {\n	input.session.acting == \"other\"\n}", "else := \"removed\" if {\n	input.session.acting == \"other\"\n	input.grant.state == \"removed\"\n}"}, {decisionFile, "	input.grant.state == \"active\"\n	held", "	input.grant.state == \"active\"\n	input.session.acting != \"other\"\n	held"}, {mailFile, "	input.grant.state == \"active\"\n	input.grant.holds", "	input.grant.state == \"active\"\n	input.session.acting != \"other\"\n	input.grant.holds"}},
			decisionFile + ":21:1: the rules cannot answer ",
		},
		"an invariant of one's own": {
			[]edited{{"invariants/base.rego", "allowed if", "violated contains \"no_lists\" if {\n	endswith(input.action.name, \".list\")\n	allowed\n}\n\nallowed if"}},
			"invariants/base.rego:19:1: no_lists does not hold: the answer is allow to account.list by an ordinary member. Input: {",
		},
	} {
		files := folder(t)
		for _, e := range c.edits {
			edit(t, files, e.file, e.old, e.new)
		}
		p, err := policy.Read(files).LoadChecked()
		if p != nil || err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A policy folder may state no invariants.
func TestAFolderWithoutInvariants(t *testing.T) {
	files := folder(t)
	for name := range files {
		if strings.HasPrefix(name, "invariants/") {
			delete(files, name)
		}
	}
	if _, err := policy.Read(fstest.MapFS(files)).LoadChecked(); err != nil {
		t.Error(err)
	}
}
