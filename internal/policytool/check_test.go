package policytool_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/policytool"
	"doorward/policies"
)

// The shipped folder has nothing that does nothing.
func TestShippedFolderHasNoWarnings(t *testing.T) {
	report, err := policytool.Check(t.Context(), policies.FS, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range report.Warnings {
		t.Error(w.Fault)
	}
	if report.Evidence.RegoTests < 40 || report.Evidence.Answers < 1000 {
		t.Errorf("%+v: did the tests get lost?", report.Evidence)
	}
	want := []policytool.Width{
		{Leaf: "input.grant.has.invoices", Actions: 8, Factor: 2, AtMost: 2},
		{Leaf: "input.grant.has.orders", Actions: 4, Factor: 2, AtMost: 2},
		{Leaf: "input.grant.has.product_passwords", Actions: 1, Factor: 2, AtMost: 2},
		{Leaf: "input.request.resource.properties.department", Actions: 8, Factor: 3, AtMost: 1024},
	}
	if diff := cmp.Diff(want, report.Inputs); diff != "" {
		t.Errorf("widths (-want +got):\n%s", diff)
	}
}

// Everything that does nothing is named, with its place.
func TestCheckNamesWhatDoesNothing(t *testing.T) {
	folder := edited(t,
		edit{"catalogue.yaml", "categories:\n", "categories:\n\n  spare:\n    label: Spare\n    freshness: strict\n    delegable: true\n"},
		edit{"presets/presets.csv", "", "p, owner, spare, allow\np, temp, tickets, allow\n"},
		edit{"profiles/spare.yaml", "", string(edited(t)["profiles/simple.yaml"].Data)},
		edit{"inputs.yaml", "has:\n", "has:\n  - category: quotes\n    for: [\"quote.*\"]\n"},
		edit{"inputs.yaml", "request:\n", "request:\n  - path: context.flag\n    type: boolean\n    absent: false\n    for: [order.place]\n" +
			"  - path: context.note\n    type: string\n    absent: \"\"\n    for: [order.place]\n"},
		edit{"rules/base_test.rego", `"has": {`, `"has": {"quotes": false, `},
		edit{"rules/base_test.rego", `"request": {`, `"request": {"context": {"flag": false, "note": ""}, `},
		edit{"rules/guardrails.rego", "", "\nguardrail contains \"untested\" if {\n\tinput.action.name == \"affiliate.view\"\n\tinput.account.mfa_required == true\n\tinput.session.mfa == true\n}\n"},
		edit{"rules/decision.rego", "} else := forbidden if {", "} else := \"owner_only\" if {\n\tinput.subject.kind == \"owner\"\n\tinput.subject.type == \"contact\"\n} else := forbidden if {"},
		edit{"rules/decision.rego", "	provider.billing.pay == false\n", "	provider.billing.pay != provider.billing.pay\n"},
		edit{"rules/decision.rego", "	provider.billing.pay != provider.billing.pay\n", "	input.subject.type == \"contact\"\n"},
		edit{"rules/dead.rego", "", "package doorward\n\ndead if input.action.effect == \"read\"\n"},
	)
	// Longer than people would wait: the test's machine may be slow.
	report, err := policytool.Check(t.Context(), folder, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	counted := regexp.MustCompile(`in \d+ inputs`)
	for _, w := range report.Warnings {
		got = append(got, fmt.Sprintf("%s %s:%d: %s", w.Kind, w.File, w.Line, counted.ReplaceAllString(w.Message, "in N inputs")))
	}
	slices.Sort(got)
	at := func(file, text string) int { return lineOf(t, folder, file, text) }
	row := at("tests/switches-no-paying.yaml", "invoice.masspay]")
	want := []string{
		fmt.Sprintf("failing_row tests/switches-no-paying.yaml:%d: invoice.masspay is answered allow, not category_missing", row),
		fmt.Sprintf("failing_row tests/switches-no-paying.yaml:%d: invoice.pay is answered allow, not category_missing", row),
		fmt.Sprintf("unfired_rule rules/dead.rego:%d: rule dead never fired in N inputs", at("rules/dead.rego", "dead if")),
		fmt.Sprintf("unfired_rule rules/decision.rego:%d: a branch of member_reason never fired in N inputs", at("rules/decision.rego", `input.subject.kind == "owner"`)-1),
		fmt.Sprintf("unfired_rule rules/decision.rego:%d: a branch of member_reason never fired in N inputs", at("rules/decision.rego", `{"invoice.pay", "invoice.masspay"}`)-2),
		fmt.Sprintf("unread_input inputs.yaml:%d: no rule reads input.grant.has.quotes", at("inputs.yaml", "category: quotes")),
		fmt.Sprintf("unread_input inputs.yaml:%d: no rule reads input.request.context.flag", at("inputs.yaml", "context.flag")),
		fmt.Sprintf("unread_input inputs.yaml:%d: no rule reads input.request.context.note", at("inputs.yaml", "context.note")),
		fmt.Sprintf("unread_switch profiles/simple.yaml:%d: billing.pay is set, and no rule reads it", at("profiles/simple.yaml", "pay: ")),
		fmt.Sprintf("untested_guardrail rules/guardrails.rego:%d: no table and no Rego test exercises the guardrail untested", at("rules/guardrails.rego", `"untested"`)),
		fmt.Sprintf("untested_preset presets/presets.csv:%d: no table says what temp may do", at("presets/presets.csv", "p, temp")),
		"untested_profile profiles/spare.yaml:0: no table says what the profile spare answers",
		fmt.Sprintf("unused_category catalogue.yaml:%d: spare guards no action and no mail, and no rule may ask for it", at("catalogue.yaml", "  spare:")),
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if report.Evidence.MadeUp == 0 {
		t.Error("nothing was made up to make rules fire")
	}
	if len(report.Notes) != 1 || report.Notes[0].Kind != policytool.OwnersCategory {
		t.Errorf("got the notes %v", report.Notes)
	}
	widths := map[string][2]int{}
	for _, w := range report.Inputs {
		widths[w.Leaf] = [2]int{w.Factor, w.AtMost}
	}
	if widths["input.request.context.flag"] != [2]int{2, 2} || widths["input.request.context.note"] != [2]int{1024, 1024} {
		t.Errorf("got the widths %v", widths)
	}
}

// Every fault is reported at once: of the policy, of profiles that are not in use,
// and of tables.
func TestCheckReportsAllFaults(t *testing.T) {
	folder := edited(t,
		edit{"presets/presets.csv", "", "p, billing, invoicse, allow\n"},
		edit{"profiles/webops.yaml", "mode: notify_only", "mode: notify"},
		edit{"tests/a.yaml", "", "provider: {billing.pya: true}\nrows:\n  - {req: 62, who: {presets: billing, state: gone}, do: invoice.list, want: allow}\n" +
			"  - {req: 62, who: {scope: [x]}, do: [], want: alow}\n"},
	)
	_, err := policytool.Check(t.Context(), folder, 0)
	if err == nil {
		t.Fatal("no faults")
	}
	for _, want := range []string{
		`presets/presets.csv:`,
		`profiles/webops.yaml:`,
		`tests/a.yaml:1: billing.pya: no switch is called that. Did you mean "billing.pay"?`,
		`tests/a.yaml:3:46: state cannot be "gone". Did you mean "none"?`,
		`tests/a.yaml:4:38: do is empty. Name an action, or a list of them.`,
		`tests/a.yaml:4:5: "x" does not name a thing`,
	} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("want once %s in\n%v", want, err)
		}
	}
}

// A row that wants an answer that nothing can give would fail for ever.
func TestWantsAreAnswers(t *testing.T) {
	folder := edited(t, edit{"tests/a.yaml", "", "rows:\n  - {req: 62, who: billing, do: invoice.list, want: category_mising}\n"})
	_, err := policytool.RunTests(t.Context(), folder, policytool.TestOptions{})
	if want := `tests/a.yaml:2: no answer is called "category_mising". Did you mean "category_missing"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Whatever a table holds, it is read or refused, and what was read can be asked.
func FuzzTables(f *testing.F) {
	for _, seed := range []string{
		"rows: [{req: 62, who: billing, do: invoice.list, want: allow}]\n",
		"title: x\nprofile: webops\nprovider: {billing.pay: false}\nrows:\n  - {req: [62], who: {presets: [a], scope: [\"service:1\"], mail: {invoice: true}}, member: b, do: [x], on: self, want: allow}\n",
		"rows: [{req: 62, who: {not_after: 2026-01-31T12:00:00Z}, do: x, properties: {a: {b: [1, 2.5, true, \"\\t\"]}}, context: {c: d}, account: {status: closed, mfa_required: true}, want: allow}]\n",
		"rows: [{req: 62, who: *a, do: x, want: allow}]\n", "rows: {}\n", "- x\n", "\xef\xbb\xbfrows: []", "rows: [{req: 62, who: {scope: [x]}, do: x, want: allow}]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tables, err := policytool.ReadTables(fstest.MapFS{"tests/x.yaml": {Data: data}})
		if err != nil {
			return
		}
		for _, row := range tables[0].Rows {
			if len(row.Do) == 0 || row.Line < 1 || strings.ContainsAny(row.Asked, "\n\x1b") {
				t.Errorf("row %+v", row)
			}
		}
		if len(tables[0].Rows) == 0 {
			t.Error("a table that expects nothing was accepted")
		}
	})
}
