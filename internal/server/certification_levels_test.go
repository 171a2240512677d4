package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

var basicCore = []section{
	{"c-2-2-1", evaluation, body(alice, toRead, record1), decides(true)},
	{"c-2-2-2", evaluation, body(bob, toWrite, record1), decides(false)},
	{"c-2-2-3", evaluation, body(alice, toRead, record1, around), decides(true)},
	{"c-2-2-8", evaluation, `{"subject":{"type":"user","id":"alice","properties":{"department":"Sales","role":"manager"}},"action":{"name":"read","properties":{"method":"GET"}},` +
		`"resource":{"type":"record","id":"record-1","properties":{"status":"active","owner":"bob"}}}`, decides(true)},
	{"c-2-2-9", evaluation, body(alice, toRead, record1, `"foo":"bar"`, `"futureField":{"nested":true}`), decides(true)},
	{"c-2-3-1", evaluation, body(alice, toRead, record1), decides(true)},
	{"c-2-3-2", evaluation, body(bob, toWrite, record1), decides(false)},
	{"c-2-4-1/subject", evaluation, body(toRead, record1), refused},
	{"c-2-4-1/action", evaluation, body(alice, record1), refused},
	{"c-2-4-1/resource", evaluation, body(alice, toRead), refused},
	{"c-2-4-2/subject type", evaluation, body(`"subject":{"id":"alice"}`, toRead, record1), refused},
	{"c-2-4-2/subject id", evaluation, body(`"subject":{"type":"user"}`, toRead, record1), refused},
	{"c-2-4-2/action name", evaluation, body(alice, `"action":{}`, record1), refused},
	{"c-2-4-2/resource type", evaluation, body(alice, toRead, `"resource":{"id":"record-1"}`), refused},
	{"c-2-4-2/resource id", evaluation, body(alice, toRead, `"resource":{"type":"record"}`), refused},
	{"c-2-4-3", evaluation, body(alice, toRead, record1), withHeader("Content-Type", "text/plain", refused)},
	{"c-2-4-3/patch", evaluation, body(alice, toRead, record1), withHeader("Content-Type", "application/json-patch+json", refused)},
	{"c-2-4-3/charset", evaluation, body(alice, toRead, record1), withHeader("Content-Type", "application/json; charset=utf-8", decides(true))},
	{"c-2-4-4", evaluation, `{"subject":`, refused},
	{"c-2-4-4/array", evaluation, `[]`, refused},
	{"c-2-4-5", evaluation, ``, refused},
	{"c-2-4-6/subject", evaluation, body(`"subject":"alice"`, toRead, record1), refused},
	{"c-2-4-6/action name", evaluation, body(alice, `"action":{"name":123}`, record1), refused},
	{"c-2-5-1", evaluation, body(alice, toRead, record1), decides(true)},
	{"c-2-5-1/error", evaluation, body(toRead, record1), refused},
	{"c-2-5-2", evaluation, body(alice, toRead, record1), withHeader("X-Other", "x", decides(true))},
	{"c-2-6", evaluation, body(alice, toRead, record1), repeatedly(decides(true))},
	{"c-2-6/deny", evaluation, body(bob, toWrite, record1), repeatedly(decides(false))},
}

var basicProperties = []section{
	{"c-2-2-4", evaluation, body(alice, toWrite, archived2), decides(false)},
	{"c-2-2-5", evaluation, body(bobAdmin, toWrite, archived2), decides(true)},
	{"c-2-2-6", evaluation, body(alice, `"action":{"name":"delete","properties":{"soft":true}}`, record1), decides(true)},
	{"c-2-2-7", evaluation, body(alice, `"action":{"name":"delete","properties":{"soft":false}}`, record1), decides(false)},
	// c-1-4 once more: rule 2, and rule 5 of a resource that is archived as sent only.
	{"c-1-4/2", evaluation, body(alice, toWrite, record1), decides(true)},
	{"c-1-4/3", evaluation, body(bob, toRead, record1), decides(true)},
	{"c-1-4/5", evaluation, body(alice, toWrite, strings.Replace(archived2, "record-2", "record-1", 1)), decides(false)},
	{"c-1-4/6", evaluation, body(bobAdmin, toWrite, strings.Replace(archived2, "record-2", "record-1", 1)), decides(true)},
	{"c-1-6", evaluation, body(bobAdmin, toWrite, archived2, around), decides(true)},
}

var batchCore = []section{
	{"c-3-2-1", evaluations, body(alice, toRead, `"evaluations":[{`+record1+`},{`+record2+`}]`), decidesEach(true, true)},
	{"c-3-2-2", evaluations, body(bob, record1, `"evaluations":[{`+toRead+`},{`+toWrite+`}]`), decidesEach(true, false)},
	{"c-3-2-5", evaluations, `{"evaluations":[` + body(alice, toRead, record1) + `,` + body(bob, toWrite, record1) + `]}`, decidesEach(true, false)},
	{"c-3-2-6", evaluations, body(alice, toRead, `"context":{"time":"2025-06-27T18:03-07:00"}`, `"evaluations":[{`+record1+`},{`+record2+
		`,"context":{"time":"2025-06-27T19:00-07:00","source":"batch-override"}}]`), decidesEach(true, true)},
	{"c-3-3-1", evaluations, body(alice, toRead, record1, `"evaluations":[{},{},{},{},{}]`), decidesEach(true, true, true, true, true)},
	{"c-3-3-2", evaluations, body(record1, `"evaluations":[{`+bob+`,`+toWrite+`},{`+alice+`,`+toWrite+`},{`+bob+`,`+toRead+`}]`), decidesEach(false, true, true)},
	{"c-3-3-3", evaluations, body(bob, record1, `"evaluations":[{`+toRead+`},{`+toWrite+`}]`), decidesEach(true, false)},
	{"c-3-3-4", evaluations, body(alice, toRead, record1, `"evaluations":[{}]`), decidesEach(true)},
	{"c-3-4-1", evaluations, body(alice, toRead, `"options":{"evaluations_semantic":"execute_all"}`, `"evaluations":[{`+record1+`},{}]`), decidesEach(true, false)},
	{"c-3-4-2", evaluations, body(alice, toRead, record1), decides(true)},
	{"c-3-4-3", evaluations, body(alice, toRead, record1, `"evaluations":[]`), decides(true)},
}

var batchProperties = []section{
	{"c-3-2-3", evaluations, body(alice, toWrite, `"evaluations":[{`+active1+`},{`+archived2+`}]`), decidesEach(true, false)},
	{"c-3-2-4", evaluations, body(toWrite, archived2, `"evaluations":[{`+alice+`},{`+bobAdmin+`}]`), decidesEach(false, true)},
	{"c-3-2-7", evaluations, body(alice, toWrite, active1, `"evaluations":[{},{`+archived2+`}]`), decidesEach(true, false)},
	// No merging inside an entity: the second record has no status of the default's.
	{"c-3-2-7/whole", evaluations, body(alice, toWrite, active1, `"evaluations":[{`+record2+`}]`), decidesEach(false)},
}

// withHeader sends the request again with one header more, or another one, and without
// X-Request-ID (c-2-5-2).
func withHeader(name, value string, must func(*testing.T, pdp, answer) string) func(*testing.T, pdp, answer) string {
	return func(t *testing.T, p pdp, _ answer) string {
		t.Helper()
		return must(t, p, p.post(t, evaluation, body(alice, toRead, record1), with(asJSON, name, value)))
	}
}

// repeatedly wants the same whole answer three times (c-2-6).
func repeatedly(must func(*testing.T, pdp, answer) string) func(*testing.T, pdp, answer) string {
	return func(t *testing.T, p pdp, a answer) string {
		t.Helper()
		request := body(alice, toRead, record1)
		if a.json["decision"] == false {
			request = body(bob, toWrite, record1)
		}
		for range 3 {
			if again := p.post(t, evaluation, request, nil); again.text != a.text {
				return "then " + again.text
			}
		}
		return must(t, p, a)
	}
}

func TestCertification(t *testing.T) {
	p := startExample(t, "certification")
	levels := []struct {
		name     string
		sections []section
		want     string // the sections of the level, as the scenario's matrix has them
	}{
		{"Basic Core", basicCore, "c-2-2-1 c-2-2-2 c-2-2-3 c-2-2-8 c-2-2-9 c-2-3-1 c-2-3-2 c-2-4-1 c-2-4-2 c-2-4-3 c-2-4-4 c-2-4-5 c-2-4-6 c-2-5-1 c-2-5-2 c-2-6"},
		{"Basic Properties", basicProperties, "c-2-2-4 c-2-2-5 c-2-2-6 c-2-2-7"},
		{"Batch Core", batchCore, "c-3-2-1 c-3-2-2 c-3-2-5 c-3-2-6 c-3-3-1 c-3-3-2 c-3-3-3 c-3-3-4 c-3-4-1 c-3-4-2 c-3-4-3"},
		{"Batch Properties", batchProperties, "c-3-2-3 c-3-2-4 c-3-2-7"},
		{"Search Core", searchCore, "c-4-2-1 c-4-2-2 c-4-2-3 c-4-3-1 c-4-3-2 c-4-3-3 c-4-4-1 c-4-4-2 c-4-5-1 c-4-5-2 c-4-5-3 c-4-5-4 c-4-6-1 c-4-6-2 c-4-7-1 c-4-7-2"},
		{"Search Properties", searchProperties, "c-4-2-4 c-4-3-4 c-4-4-3"},
	}
	for _, level := range levels {
		for _, id := range strings.Fields(level.want) {
			if !slices.ContainsFunc(level.sections, func(s section) bool { return s.id == id || strings.HasPrefix(s.id, id+"/") }) {
				t.Errorf("%s has no test of %s", level.name, id)
			}
		}
		t.Run(level.name, func(t *testing.T) { certify(t, p, level.sections) })
	}
	t.Run("Transport", func(t *testing.T) { transport(t, p) })
	t.Run("Discovery", func(t *testing.T) { discovery(t, p) })
}

// transport is c-5, which all answers above were held to as well.
func transport(t *testing.T, p pdp) {
	certify(t, p, []section{
		{"c-5/1", evaluation, body(alice, toRead, record1), decides(true)},
		{"c-5/2", searchSubject, body(`"subject":{"type":"user"}`, toRead, record1), finds(entity("user", "alice"), entity("user", "bob"))},
		{"c-5/3", evaluations, body(alice, toRead), refused},
		{"c-5/4", searchAction, body(alice), refused},
		{"c-5/5", searchAction, body(alice, record1, `"subjects":[]`, `"page":{"limit":1,"size":9}`), finds(named("read"))},
	})
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		response, _ := call(t, p.client, method, p.url+evaluation, "", with(http.Header{}, "X-Request-Id", requestID))
		if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != http.MethodPost || response.Header.Get("X-Request-Id") != requestID {
			t.Errorf("%s: %d %v", method, response.StatusCode, response.Header)
		}
	}
}
