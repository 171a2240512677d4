package generate

import (
	"fmt"
	"strings"
)

// A name is a name of people as it is written and as addresses have it.
type name struct{ written, plain string }

// named are the names of a list; one that addresses write otherwise has that after a
// slash.
func named(list string) []name {
	var all []name
	for _, word := range strings.Fields(list) {
		written, plain, differs := strings.Cut(word, "/")
		if !differs {
			plain = strings.ToLower(written)
		}
		all = append(all, name{written, plain})
	}
	return all
}

// The names people have, and what companies are called.
var (
	firstNames = named(`Anna Ben Carla David Emma Farid Grace Hugo Ines/ines Jonas Karim Lena Marco Nora Omar Paula Quentin Rosa
		Samir Tessa Uma Viktor Wendy Xavier Yusuf Zoë/zoe Jürgen/juergen Zdeněk/zdenek Łukasz/lukasz Aoife Siân/sian Björn/bjoern
		李/li Иван/ivan Δάφνη/dafni`)
	lastNames = named(`Archer Bauer Costa Dubois Eriksen Fischer Garcia Hansen Ivanova Jansen Kowalski Lopez Meyer Novak Okafor
		Petrov Quinn Rossi Smith Tanaka Ueda Vargas Weber Young Zimmer Müller/mueller Dvořák/dvorak O'Brien/obrien Nuñez/nunez
		van-Dijk/vandijk Øster/oester Peña/pena`)
	companyFirst = named(`Harbour Northern Green Silver Little Bright Old Sunny Royal Urban Alpine Coastal Golden Corner Village
		Modern Zürich/zurich Atlantic Central Pixel`)
	companySecond = named(`Bakery Books Dental Design Farm Florist Garage Kitchen Legal Media Music Optics Pharmacy Photo School
		Sports Travel Tools Yoga Café/cafe`)
	languages = []weighted[string]{{45, "en"}, {15, "de"}, {10, "fr"}, {10, "es"}, {8, "nl"}, {6, "pl"}, {4, "pt-BR"}, {2, "zh"}}
)

// company makes up what an account is called, and its domain.
func company(d dice, id string) (title, domain string) {
	first, second := pick(d, companyFirst), pick(d, companySecond)
	return first.written + " " + second.written, fmt.Sprintf("%s-%s-%s.example", first.plain, second.plain, id)
}

// user makes up a person with a login. mark keeps apart the addresses of people who have
// one name at one domain.
func (w *writer) user(d dice, id, domain, mark string) {
	first, last := pick(d, firstNames), pick(d, lastNames)
	line := userLine{
		Kind: "user", ID: id, Email: first.plain + "." + last.plain + mark + "@" + domain,
		FirstName: first.written, LastName: last.written, Language: draw(d, languages),
		CreatedAt: w.stamp(w.ago(d, 3000)),
	}
	if d.in1000(280) {
		line.SecondFactor = "totp"
		w.summary.SecondFactor++
	}
	if d.in1000(15) {
		line.Status = "disabled"
		w.summary.Disabled++
	}
	w.summary.Users++
	w.write(line)
}

// Partners are the companies of one kind whose people work for many accounts. Of each
// only how many accounts it has is remembered.
type partners struct {
	kind     kind
	accounts []int
}

// newPartners are n companies, or one.
func newPartners(k kind, n int) partners { return partners{k, make([]int, max(n, 1))} }

func (p *partners) most() int {
	most := 0
	for _, n := range p.accounts {
		most = max(most, n)
	}
	return most
}

// people is how many people work at a partner.
func (w *writer) people(p *partners, i int) int {
	most := 6
	if p.kind == bookkeeper {
		most = 3
	}
	return 1 + w.dice(p.kind, uint64(i)).least(most, 2)
}

func (p *partners) id(i, person int) string {
	if p.kind == bookkeeper {
		return fmt.Sprintf("books-%d-%d", i+1, person+1)
	}
	return fmt.Sprintf("agency-%d-%d", i+1, person+1)
}

// staffOf writes everybody who works at one of the partners.
func (w *writer) staffOf(p *partners) {
	if w.Accounts == 0 {
		return
	}
	for i := range p.accounts {
		for person := range w.people(p, i) {
			id := p.id(i, person)
			domain := strings.TrimSuffix(id, fmt.Sprintf("-%d", person+1)) + ".example"
			w.user(w.dice(p.kind, uint64(person+1)<<48|uint64(i)), id, domain, fmt.Sprint(person+1))
		}
	}
}

// hire draws a partner, the first ones much more often, and one of its people.
func (w *writer) hire(d dice, p *partners) (user string) {
	i := d.least(len(p.accounts), 4)
	p.accounts[i]++
	return p.id(i, d.least(w.people(p, i), 2))
}
