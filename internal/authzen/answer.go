package authzen

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"doorward/internal/decision"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// appendDecision appends a decision as section 5.5 has it. Members have a fixed
// order and nothing in them changes from call to call (c-2-6).
func appendDecision(b []byte, d decision.Decision) []byte { return appendExplained(b, d, nil) }

// appendExplained appends a decision and, unless it is empty, the JSON of why, as the
// last member of the context.
func appendExplained(b []byte, d decision.Decision, why []byte) []byte {
	if d.Allow {
		b = append(b, `{"decision":true`...)
	} else {
		b = append(b, `{"decision":false`...)
	}
	open := len(b) // the context begins here, if anything is in it
	if !d.Allow {
		b = appendText(b, open, "reason", string(d.Reason))
		b = appendText(b, open, "category", d.Category)
	}
	b = appendObligations(b, open, d.Obligations)
	b = appendFilter(b, open, d.Filter)
	if !d.Allow {
		b = appendText(b, open, "switch_required", string(d.SwitchTo))
	}
	if len(why) > 0 {
		b = append(appendName(b, open, "explanation"), why...)
	}
	if len(b) > open {
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendText appends a member of the context, unless it has no text.
func appendText(b []byte, open int, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendString(appendName(b, open, name), text)
}

func appendObligations(b []byte, open int, obligations []rules.Obligation) []byte {
	if len(obligations) == 0 {
		return b
	}
	b = append(appendName(b, open, "obligations"), '[')
	for i, o := range obligations {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, o.JSON...)
	}
	return append(b, ']')
}

// appendFilter appends what a list is limited to (A13.16).
func appendFilter(b []byte, open int, listed []portal.Ref) []byte {
	if listed == nil {
		return b
	}
	b = append(appendName(b, open, "filter"), `{"resources":[`...)
	for i, r := range listed {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"type":`...), r.Type)
		b = append(appendString(append(b, `,"id":`...), r.ID), '}')
	}
	return append(b, `]}`...)
}

// appendName begins a member of the context, and with the first the context.
func appendName(b []byte, open int, name string) []byte {
	if len(b) == open {
		b = append(b, `,"context":{"`...)
	} else {
		b = append(b, `,"`...)
	}
	b = append(b, name...)
	return append(b, `":`...)
}

// appendBatch appends the answers of a batch (section 7.2).
func appendBatch(b []byte, answers []decision.Answer) []byte {
	b = append(b, `{"evaluations":[`...)
	for i, a := range answers {
		if i > 0 {
			b = append(b, ',')
		}
		if a.Err != nil {
			b = appendFault(b, problem.From(a.Err))
		} else {
			b = appendDecision(b, a.Decision)
		}
	}
	return append(b, `]}`...)
}

// appendFault appends what an item gets that was not judged: always a denial.
func appendFault(b []byte, p *problem.Error) []byte {
	b = append(b, `{"decision":false,"context":{"error":{"status":`...)
	b = strconv.AppendInt(b, int64(p.Status()), 10)
	b = append(b, `,"message":`...)
	b = appendString(b, p.Text())
	return append(b, `}}}`...)
}

// appendString appends a JSON string. Texts here were valid UTF-8 when they were
// read; what is not would come out replaced, and still be JSON.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}
