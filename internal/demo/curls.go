package demo

import (
	"fmt"
	"strings"
)

// An Example is a question to paste into a shell.
type Example struct {
	Title   string
	Command string
	// Expect are texts that the answer contains, in this order.
	Expect []string
}

// Curls returns an allow, a deny and a batch, asked at baseURL, as in
// http://127.0.0.1:8080.
func Curls(baseURL string) []Example {
	pay := question("carl", "invoice.pay")
	open := question("carl", "ticket.open")
	return []Example{
		{
			Title:   "May Carl, the accountant, pay an invoice of Acme? Yes.",
			Command: curl(baseURL, "evaluation", "{"+pay+"}"),
			Expect:  []string{`"decision":true`},
		},
		{
			Title:   "May he open a support ticket? No, and the answer says why.",
			Command: curl(baseURL, "evaluation", "{"+open+"}"),
			Expect:  []string{`"decision":false`, `"reason":"category_missing"`},
		},
		{
			Title: "What may Dora, the developer, do at Acme? See services and open tickets, but not see invoices.",
			Command: curl(baseURL, "evaluations", fmt.Sprintf(`{%s,"evaluations":[%s,%s,%s]}`,
				party("dora"), action("service.list"), action("ticket.open"), action("invoice.list"))),
			Expect: []string{`"evaluations":[`, `"decision":true`, `"decision":true`, `"decision":false`, `"reason":"category_missing"`},
		},
	}
}

// question is the members of a question about the account acme.
func question(user, name string) string {
	return party(user) + `,"action":{"name":"` + name + `"}`
}

// party names who asks and the account acme.
func party(user string) string {
	return `"subject":{"type":"user","id":"` + user + `"},"resource":{"type":"account","id":"acme"}`
}

// action is an item of a batch that gives the action and nothing else.
func action(name string) string { return `{"action":{"name":"` + name + `"}}` }

// curl is a command that a POSIX shell takes as one line.
func curl(baseURL, endpoint, body string) string {
	address := strings.TrimSuffix(baseURL, "/") + "/access/v1/" + endpoint
	return "curl -sw '\\n' " + address + " -H 'Content-Type: application/json' -d '" + body + "'"
}
