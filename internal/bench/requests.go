package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
)

// questionsAsked is how many different questions go round.
const questionsAsked = 256

// chosen spreads the questions over the dataset.
func chosen(members []member) []member {
	step := max(1, len(members)/questionsAsked) | 1 // odd, so that all presets occur
	var list []member
	for i := 0; i < len(members) && len(list) < questionsAsked; i += step {
		list = append(list, members[i])
	}
	return list
}

// question is the AuthZEN body that asks whether m may do the action.
func question(m member) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":%q},"resource":{"type":"account","id":%q}}`, m.user, action, m.account)
}

func authzenRequests(members []member) [][]byte {
	var requests [][]byte
	for _, m := range chosen(members) {
		requests = append(requests, post("/access/v1/evaluation", question(m)))
	}
	return requests
}

func opaRequests(members []member) [][]byte {
	var requests [][]byte
	for _, m := range chosen(members) {
		requests = append(requests, post("/v1/data/bench/decision", `{"input":`+question(m)+`}`))
	}
	return requests
}

func post(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// sameAnswers checks that the deciding servers agree on every question: a ratio
// between different answers would mean nothing.
func sameAnswers(servers []*target, members []member) error {
	for i, m := range chosen(members) {
		want := m.preset == "owner" || m.preset == "administrator" || m.preset == "billing"
		for _, s := range servers {
			got, err := s.answer(s.requestsToSend[i])
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if got != want {
				return fmt.Errorf("%s answers %v for a member with preset %s", s.name, got, m.preset)
			}
		}
	}
	return nil
}

// answer asks one question and reads the decision out of either server's answer.
func (s *target) answer(request []byte) (bool, error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		return false, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	var body struct {
		Decision bool
		Result   struct{ Allow bool }
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(response.Body); err != nil {
		return false, err
	}
	if err := json.Unmarshal(raw.Bytes(), &body); err != nil || response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("answered %s: %s", response.Status, raw.String())
	}
	return body.Decision || body.Result.Allow, nil
}
