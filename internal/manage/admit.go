package manage

import (
	"fmt"
	"net/http"
	"strconv"

	"doorward/internal/ijson"
	"doorward/internal/importer"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// An address tells where the path of a route has the ids of a record: the names of its
// segments, which are also the record's members.
type address struct {
	kind        importer.Kind
	account, id string // "": the record has none
}

// begin finds which record a request is about, if its client may look there.
func (h *Handler) begin(r *http.Request, a address) (importer.Key, error) {
	if err := refuseStrange(r); err != nil {
		return importer.Key{}, err
	}
	key := importer.Key{Kind: a.kind}
	for _, segment := range []string{a.account, a.id} {
		if segment == "" {
			continue
		}
		id := r.PathValue(segment)
		// Decoded once, by the mux. Proxies take dots for a way up, however written.
		if !portal.ValidID(id) || id == "." || id == ".." {
			return key, &problem.Error{Code: problem.InvalidRequest, Detail: strconv.QuoteToASCII(segment) +
				" in the address cannot be an id: 1 to 128 of A-Z a-z 0-9 . _ : @ + ~ -, and neither . nor .. alone."}
		}
		if segment == a.account {
			key.Account = portal.AccountID(id)
		} else {
			key.ID = id
		}
	}
	return key, h.admit(r, key)
}

// refuseStrange refuses what would be taken for something that it is not.
func refuseStrange(r *http.Request) error {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return &problem.Error{Code: problem.InvalidRequest, Detail: "There is nothing to say in the query; source is a member of the body."}
	}
	if _, sent := r.Header["Doorward-Actor"]; sent {
		return &problem.Error{Code: problem.InvalidRequest, Detail: "Doorward-Actor means nothing yet: what comes with this token is done by its client. Leave the header out."}
	}
	return nil
}

// admit refuses what the client's limits keep from it, before anything is read: another
// answer would already tell something. Users reach beyond accounts.
func (h *Handler) admit(r *http.Request, keys ...importer.Key) error {
	if h.Client(r.Context()) == "" {
		return &problem.Error{Code: problem.Unauthenticated}
	}
	limits := h.Limits(r.Context())
	for _, k := range keys {
		if !limits.Admit(k.Account, types[k.Kind]) {
			return &problem.Error{Code: problem.Forbidden, Detail: "This token is limited to some accounts or types, and this is about another. Users and sign-ins reach beyond accounts."}
		}
	}
	return nil
}

// types are the types of resources that a token can be limited to, by kind of record.
var types = map[importer.Kind]string{
	importer.KindUser: portal.TypeUser, importer.KindSignin: portal.TypeUser,
	importer.KindAccount: portal.TypeAccount, importer.KindMembership: portal.TypeAccount,
	importer.KindContact: portal.TypeContact,
}

// complete returns the body with the members that the address has. They may be in it as
// well, if they say the same.
func (a address) complete(body ijson.Value, key importer.Key) (ijson.Value, error) {
	members := []ijson.Member{{Name: "kind", Value: ijson.StringValue(string(a.kind))}}
	if a.account != "" {
		members = append(members, ijson.Member{Name: a.account, Value: ijson.StringValue(string(key.Account))})
	}
	if a.id != "" {
		members = append(members, ijson.Member{Name: a.id, Value: ijson.StringValue(key.ID)})
	}
	ids := ijson.ObjectValue(members...)
	for _, m := range body.Members() {
		switch want := ids.Get(m.Name); {
		case want.Kind() == ijson.Absent:
			members = append(members, m)
		case m.Value.Kind() != ijson.String || m.Value.Text() != want.Text():
			return ijson.Value{}, &problem.Error{Code: problem.InvalidRequest, Pointer: "/" + m.Name,
				Detail: fmt.Sprintf("%s is %q by the address; leave it out here", m.Name, want.Text())}
		}
	}
	return ijson.ObjectValue(members...), nil
}
