package policytool_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"doorward/internal/policytool"
	"doorward/policies"
)

// grid is a matrix to look things up in.
type grid map[[2]string]policytool.Verdict // by preset and action

func gridOf(t *testing.T, o policytool.MatrixOptions) (grid, policytool.Matrix) {
	t.Helper()
	matrices, err := policytool.Matrices(t.Context(), policies.FS, o)
	if err != nil || len(matrices) != 1 {
		t.Fatalf("got %d matrices, %v", len(matrices), err)
	}
	g := grid{}
	for _, group := range matrices[0].Groups {
		for _, row := range group.Rows {
			for i, v := range row.Answers {
				g[[2]string{matrices[0].Presets[i], row.Action}] = v
			}
		}
	}
	return g, matrices[0]
}

// allowed are the actions of a group that a preset may do.
func allowed(m policytool.Matrix, preset, group string) []string {
	var list []string
	i := slices.Index(m.Presets, preset)
	for _, g := range m.Groups {
		for _, row := range g.Rows {
			if g.Name == group && row.Answers[i].Allow {
				list = append(list, row.Action)
			}
		}
	}
	return list
}

// Article 004, sentence by sentence, as the matrix of its profile shows it.
func TestFourRolesAreTheArticle(t *testing.T) {
	g, m := gridOf(t, policytool.MatrixOptions{Profiles: []string{"four-roles"}})
	if got := strings.Join(m.Presets, " "); got != "owner billing support administrator" { // req 59
		t.Errorf("the roles are %s", got)
	}
	may := func(preset string, actions ...string) {
		t.Helper()
		for _, action := range actions {
			if v := g[[2]string{preset, action}]; !v.Allow {
				t.Errorf("%s may not %s: %s", preset, action, v.Reason)
			}
		}
	}
	none := func(preset string, groups ...string) {
		t.Helper()
		for _, group := range groups {
			if list := allowed(m, preset, group); len(list) > 0 {
				t.Errorf("%s may %v", preset, list)
			}
		}
	}
	// req 60: "full authority on the account"
	for _, group := range m.Groups {
		for i, row := range group.Rows {
			if group.Name != "self" && group.Name != "staff" && !row.Answers[0].Allow {
				t.Errorf("the owner may not %s (row %d)", row.Action, i)
			}
		}
	}
	if v := g[[2]string{"owner", "membership.leave"}]; v.Reason != "owner_cannot_leave" { // req 8
		t.Errorf("the owner may leave: %+v", v)
	}
	// req 61: "the only contact that is able to cancel services"
	for _, preset := range m.Presets[1:] {
		none(preset, "cancellations")
	}
	// req 62, req 63, req 64: "see invoices, update credit card details, receive monthly invoices"
	may("billing", "invoice.list", "invoice.view", "card.update", "mail.invoice.receive")
	// req 65, req 66: "WILL NOT have access to support and the ability to open support tickets"
	none("billing", "tickets", "emails")
	// req 67, req 68, req 69: "see support tickets, open tickets, receive login details"
	may("support", "ticket.list", "ticket.view", "ticket.open", "mail.product.receive", "mail.support.receive")
	// req 70, req 71: "WILL NOT receive any billing related information or be able to access" it
	none("support", "invoices", "payment_methods", "quotes", "orders", "emails")
	if g[[2]string{"support", "mail.invoice.receive"}].Allow {
		t.Error("support receives invoices")
	}
	// req 72, req 74: "all the privileges of a billing contact and support contact"
	for key, v := range g {
		if v.Allow && (key[0] == "billing" || key[0] == "support") {
			may("administrator", key[1])
		}
	}
	// req 73: "the ability to authorize additional contacts"
	may("administrator", "user.invite", "user.permissions.update", "contact.create")
	// req 75, req 76: "with the exception of the ability to order new services and/or cancel"
	none("administrator", "orders", "cancellations")
	for key, v := range g {
		if key[0] == "owner" && v.Allow && !g[[2]string{"administrator", key[1]}].Allow {
			action := key[1]
			exception := slices.Contains(allowed(m, "owner", "orders"), action) || slices.Contains(allowed(m, "owner", "cancellations"), action) ||
				action == "quote.accept" || action == "mail.affiliate.receive" ||
				slices.Contains(allowed(m, "owner", "ownership"), action) || slices.Contains(allowed(m, "owner", "security"), action)
			if !exception {
				t.Errorf("the owner may %s, the administrator may not", action)
			}
		}
	}
}

// req 77, req 78: both roles on one person are the union, and nothing more.
func TestAUnionIsAColumn(t *testing.T) {
	g, m := gridOf(t, policytool.MatrixOptions{Profiles: []string{"four-roles"}, Presets: []string{"billing", "support", "billing+support"}})
	if len(m.Presets) != 3 {
		t.Fatalf("got the columns %v", m.Presets)
	}
	for key, v := range g {
		action := key[1]
		if want := g[[2]string{"billing", action}].Allow || g[[2]string{"support", action}].Allow; key[0] == "billing+support" && v.Allow != want {
			t.Errorf("billing+support may %s: %v, want %v", action, v.Allow, want)
		}
	}
}

func TestMatrixShowsWhatIsAskedFor(t *testing.T) {
	_, m := gridOf(t, policytool.MatrixOptions{AllPresets: true, Actions: "invoice.*"})
	if got := strings.Join(m.Presets, " "); got != "owner administrator all billing developer support" || len(m.Groups) != 1 || m.Groups[0].Name != "invoices" {
		t.Errorf("got %s, %v", got, m.Groups)
	}
	all, err := policytool.Matrices(t.Context(), policies.FS, policytool.MatrixOptions{AllProfiles: true, Actions: "mail.*"})
	if err != nil || len(all) < 5 {
		t.Errorf("got %d profiles, %v", len(all), err)
	}
	for _, o := range []policytool.MatrixOptions{
		{Profiles: []string{"four-rolls"}}, {Presets: []string{"billing+suport"}}, {Presets: []string{""}}, {Actions: "nothing.*"}, {Actions: "["},
	} {
		_, err := policytool.Matrices(t.Context(), policies.FS, o)
		if _, ok := errors.AsType[*policytool.ArgumentError](err); !ok {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}
