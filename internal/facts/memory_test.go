package facts

import (
	"fmt"
	"runtime"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

func memberOf(account string, user string) portal.FactKey {
	return portal.FactKey{Account: portal.AccountID(account), Subject: portal.Ref{Type: portal.TypeUser, ID: user}}
}

// weight is what everything in m is said to weigh.
func (m *Memory) weight() int {
	sum := m.places.used + m.listed.used
	for i := range shards {
		sum += m.accounts.shards[i].weight + m.users.shards[i].weight + m.memberships.shards[i].weight + m.contacts.shards[i].weight
	}
	return sum
}

// heap is what lives on the heap.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A memory bounded in bytes stays within them, whatever is asked: ids as long as they
// may be, and memberships that nobody else has. What it says it holds is what the
// process pays, within a third.
func TestAMemoryCostsWhatItSays(t *testing.T) {
	const bound = 4 << 20
	ids := map[string]func(int) string{
		"short": func(i int) string { return fmt.Sprint("u", i) },
		"long":  func(i int) string { return fmt.Sprintf("%0250d", i) },
	}
	for name, id := range ids {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ids, facts of their own: ", own), func(t *testing.T) {
				before := heap()
				m := NewMemory(Bound{Bytes: bound})
				for i := range 60_000 {
					grant := portal.Grant{Presets: []string{"billing"}}
					if own {
						grant.Scope = []portal.Ref{{Type: "service", ID: id(i)}}
					}
					key := memberOf(id(i/3), id(i))
					m.Remember(key, &portal.Facts{Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &grant}})
				}
				said, paid := m.weight(), heap()-before
				if said > bound || said < bound/4 {
					t.Errorf("says %d bytes, of %d", said, bound)
				}
				if paid > said+said/3 || paid < said/3 {
					t.Errorf("says %d bytes, the heap has %d more", said, paid)
				}
				runtime.KeepAlive(m)
			})
		}
	}
}

// An entry larger than its share is not kept and evicts nobody.
func TestAnEntryLargerThanItsShareIsLeftOut(t *testing.T) {
	m := NewMemory(Bound{Bytes: 64 << 10})
	huge := portal.Grant{}
	for i := range 1000 {
		huge.Scope = append(huge.Scope, portal.Ref{Type: "service", ID: fmt.Sprint(i)})
	}
	key := memberOf("acme", "anna")
	m.Remember(key, &portal.Facts{Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &huge}})
	if _, ok := m.Lookup(key); ok {
		t.Error("kept what is larger than a shard")
	}
	m.Remember(key, &portal.Facts{Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{}}})
	if f, ok := m.Lookup(key); !ok || f.Membership.State != portal.MembershipActive {
		t.Errorf("%+v, %v", f, ok)
	}
	m.Drop(directory.Change{Kind: directory.ChangedMembership, Account: "acme", User: "anna"})
	m.Forget()
	if got := m.weight(); got != 0 {
		t.Errorf("empty and weighs %d", got)
	}
}
