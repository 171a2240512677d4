package importer

import (
	"slices"
	"strconv"
	"strings"

	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// ownerPreset is the preset of owners, and of nobody else (req 7).
const ownerPreset = "owner"

// allPreset is the preset of everything that can be delegated (A13.2).
const allPreset = "all"

// grants reads what memberships grant, in the words of the policy in force.
type grants struct {
	cat     *catalogue.Catalogue
	presets Presets
	keys    map[string][]string // categories by WHMCS permission key, as the catalogue says
}

func newGrants(cat *catalogue.Catalogue, presets Presets) grants {
	g := grants{cat: cat, presets: presets, keys: map[string][]string{}}
	for _, c := range cat.Categories {
		for _, key := range c.WHMCS {
			g.keys[key] = append(g.keys[key], c.Name)
		}
	}
	return g
}

// read reads the grant in o, which who is given.
func (g grants) read(o object, owner bool, who string) portal.Grant {
	if owner {
		g.refuseLimits(o)
		return portal.Grant{Presets: []string{ownerPreset}}
	}
	grant := portal.Grant{
		Presets:   g.named(o),
		Scope:     scope(o),
		NotBefore: o.time("not_before"),
		NotAfter:  o.time("not_after"),
	}
	if !grant.NotAfter.IsZero() && !grant.NotBefore.Before(grant.NotAfter) {
		o.faultf("not_after", "Let it end after it begins.", "the grant is never in force")
	}
	grant.Categories = g.withImplied(append(g.direct(o, "categories"), g.permitted(o)...))
	if !o.has("presets") && !o.has("categories") {
		g.attach(&grant)
	}
	grant.AccountWide = g.withImplied(g.direct(o, "account_wide"))
	if len(grant.AccountWide) > 0 && len(grant.Scope) == 0 {
		o.faultf("account_wide", "Add the scope that the rest is limited to, or write them in categories.", "there is no scope")
	}
	if len(grant.Presets)+len(grant.Categories)+len(grant.AccountWide) == 0 {
		o.in.notes.warn(o.line, who+" without permissions gets none (never all of them)")
	}
	return grant
}

// attach puts the name of a preset in the place of the categories it stands for (E3): of
// one that gives just these and no mail besides what is theirs. All of WHMCS's keys are
// no preset: what is added to it later was never granted (A13.2).
func (g grants) attach(grant *portal.Grant) {
	if len(grant.Categories) == 0 {
		return
	}
	bare := g.presets.Holds(nil, grant.Categories)
	for _, name := range g.presets.Names() {
		if name == ownerPreset || name == allPreset {
			continue
		}
		if held := g.presets.Holds([]string{name}, nil); held.Contains(bare) && g.withMail(bare).Contains(held) {
			grant.Presets, grant.Categories = []string{name}, nil
			return
		}
	}
}

// withMail adds the mail that who holds the set is sent anyway.
func (g grants) withMail(set catalogue.Set) catalogue.Set {
	names := g.cat.Names(set)
	for _, mail := range g.cat.Mails {
		if mail.Guard != "" && slices.Contains(names, mail.Guard) {
			names = append(names, catalogue.MailObject(mail.Name))
		}
	}
	return g.cat.Set(names...)
}

// withImplied returns the categories with all they imply (A13.17), in the catalogue's
// order.
func (g grants) withImplied(names []string) []string {
	return g.cat.Names(g.cat.Implied(g.cat.Set(names...)))
}

// refuseLimits refuses to limit an owner (req 7). WHMCS may hold permissions from
// the time before somebody became the owner; they mean nothing.
func (g grants) refuseLimits(o object) {
	for _, member := range []string{"presets", "categories", "scope", "account_wide", "not_before", "not_after"} {
		switch v := o.value.Get(member); {
		case v.Kind() == ijson.Absent, v.Kind() == ijson.Null:
		default:
			o.faultf(member, "Leave it out.", "the owner holds everything, always")
		}
	}
}

// named reads the presets.
func (g grants) named(o object) []string {
	var names []string
	for i, name := range o.words("presets") {
		at := "presets/" + strconv.Itoa(i)
		switch {
		case name == ownerPreset:
			o.faultf(at, `Write "owner":true for the one owner, or choose another preset.`, "only the owner is the owner")
		case !g.presets.Known(name):
			o.faultf(at, hint(name, g.presets.Names()), "there is no preset %s", quote(name))
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// direct reads categories given directly.
func (g grants) direct(o object, member string) []string {
	var names []string
	for i, name := range o.words(member) {
		at := member + "/" + strconv.Itoa(i)
		switch _, known := g.cat.Bit(name); {
		case !known:
			o.faultf(at, hint(name, g.cat.Objects()), "there is no category %s", quote(name))
		case !g.delegable(name):
			o.faultf(at, "Leave it out.", "%s belongs to the owner alone", name)
		default:
			names = append(names, name)
		}
	}
	return names
}

// delegable tells whether anybody but the owner may hold the object.
func (g grants) delegable(object string) bool {
	for _, c := range g.cat.Categories {
		if c.Name == object {
			return c.Delegable
		}
	}
	return true // a mail category
}

// permitted reads WHMCS permission keys: comma separated, or a JSON array, be it
// one or the text of one. A key we do not know grants nothing and is reported, and so
// is a category that the catalogue gives with a key but leaves to the owner.
func (g grants) permitted(o object) []string {
	var names []string
	for _, key := range permissionKeys(o) {
		key = strings.ToLower(strings.TrimSpace(key))
		categories, known := g.keys[key]
		switch {
		case key == "":
		case !known:
			o.in.notes.warn(o.line, "there is no permission "+quote(key)+"; it grants nothing")
		default:
			names = append(names, g.fit(o, key, categories)...)
		}
		if slices.Contains(categories, "cancellations") {
			o.in.notes.warn(o.line, "the permission "+key+" also gives cancellations, as it does in WHMCS")
		}
	}
	return names
}

// fit returns the categories of a key that others than the owner may hold, and reports
// the rest.
func (g grants) fit(o object, key string, categories []string) []string {
	var names []string
	for _, name := range categories {
		if g.delegable(name) {
			names = append(names, name)
			continue
		}
		o.in.notes.warn(o.line, "the permission "+quote(key)+" does not give "+name+", which belongs to the owner alone")
	}
	return names
}

// permissionKeys splits what stands in permissions.
func permissionKeys(o object) []string {
	v := o.value.Get("permissions")
	switch {
	case v.Kind() == ijson.Array:
		return o.words("permissions")
	case v.Kind() == ijson.String && strings.HasPrefix(strings.TrimSpace(v.Text()), "["):
		list, err := ijson.ParseAny([]byte(v.Text()))
		if err != nil {
			o.faultf("permissions", "Write keys with commas between them, or a JSON array.", "not a list: %s", quote(err.Error()))
			return nil
		}
		// Read the list as if it stood here itself.
		o.value = ijson.ObjectValue(ijson.Member{Name: "permissions", Value: list})
		return o.words("permissions")
	default:
		return strings.Split(o.text("permissions"), ",")
	}
}

// scopes are the types of resource that actions can be about (A13.16). A grant
// limited to any other would cover nothing.
var scopes = []string{catalogue.ScopeService, catalogue.ScopeDomain}

// scope reads the resources a grant is limited to.
func scope(o object) []portal.Ref {
	var refs []portal.Ref
	for i, word := range o.words("scope") {
		ref, err := portal.ParseRef(word)
		if err != nil || !portal.ValidID(ref.Type) || !portal.ValidID(ref.ID) {
			o.faultf("scope/"+strconv.Itoa(i), "Write type:id, as in service:5.", "%s does not name a resource", quote(word))
			continue
		}
		if !slices.Contains(scopes, ref.Type) {
			o.faultf("scope/"+strconv.Itoa(i), hint(ref.Type, scopes), "nothing is limited to things of type %s", quote(ref.Type))
			continue
		}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	// An empty list, or null, is an empty scope, which would mean the whole account.
	if v := o.value.Get("scope"); v.Kind() == ijson.Null || v.Kind() == ijson.Array && len(v.Items()) == 0 {
		o.faultf("scope", "Leave it out for the whole account.", "lists nothing")
	}
	return refs
}

// hint says which name was meant, or which there are.
func hint(got string, known []string) string {
	if nearest := fault.Closest(got, known); nearest != "" {
		return nearest
	}
	return "There are: " + strings.Join(known, ", ") + "."
}
