package cli

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"doorward/internal/ijson"
)

// printDecision prints an answer of the evaluation endpoint and picks the status.
func (p *Process) printDecision(status int, answer []byte, f *decideFlags) error {
	v, err := ijson.Parse(answer)
	if err != nil {
		return fmt.Errorf("read the server's answer (HTTP %d): %w", status, err)
	}
	decision := v.Get("decision")
	if status != http.StatusOK || decision.Kind() != ijson.Bool {
		return notJudged(status, v)
	}
	if f.json {
		err = p.printf("%s\n", strings.TrimSpace(string(answer)))
	} else {
		err = p.printAnswer(decision.True(), withoutExplanation(v.Get("context")))
	}
	if err == nil && f.explain && !f.json {
		err = p.printExplanation(answer)
	}
	if err != nil {
		return err
	}
	if !decision.True() {
		return statusError(statusDenied)
	}
	return nil
}

func notJudged(status int, problem ijson.Value) error {
	err := refusedBy("not judged", status, problem)
	if status == http.StatusBadRequest {
		return usagef("%v", err)
	}
	return err
}

// refusedBy tells what a server says that it did not do, and why.
func refusedBy(what string, status int, problem ijson.Value) error {
	parts := []string{fmt.Sprintf("%s (HTTP %d)", what, status)}
	for _, member := range []string{"title", "pointer", "detail"} {
		if text := problem.Get(member).Text(); text != "" {
			parts = append(parts, text)
		}
	}
	return errors.New(strings.Join(parts, ": "))
}

// printAnswer prints the decision and what came with it, one thing a line.
func (p *Process) printAnswer(allow bool, with ijson.Value) error {
	word := "deny"
	if allow {
		word = "allow"
	}
	if err := p.printf("%s\n", word); err != nil {
		return err
	}
	for _, m := range with.Members() {
		if err := p.printf("%s: %s\n", plain(m.Name), plain(oneLine(m.Value))); err != nil {
			return err
		}
	}
	return nil
}

// oneLine writes a text as it is and every other value as JSON.
func oneLine(v ijson.Value) string {
	if v.Kind() == ijson.String {
		return v.Text()
	}
	return jsonText(v)
}

func jsonText(v ijson.Value) string {
	var parts []string
	switch v.Kind() {
	case ijson.Null:
		return "null"
	case ijson.String:
		return strconv.Quote(v.Text())
	case ijson.Array:
		for _, item := range v.Items() {
			parts = append(parts, jsonText(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case ijson.Object:
		for _, m := range v.Members() {
			parts = append(parts, strconv.Quote(m.Name)+":"+jsonText(m.Value))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return v.Text()
}
