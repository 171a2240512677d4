package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// S45, req 113: whatever is done to the trail in the database, Verify names the first
// line that is wrong. The trail has 7 lines, one of each revision.
func TestTamperedTrail(t *testing.T) {
	const headAt5 = `UPDATE doorward.head SET (revision, seq, tag) = (SELECT revision, seq, hash FROM doorward.audit_lines WHERE seq = 5)`
	for _, c := range []struct {
		name, do string
		seq      uint64 // 0: in order, but for the witness
		why      string
	}{
		{"nothing", `SELECT 1`, 0, ""},
		{"actor edited", `UPDATE doorward.audit_lines SET actor = 'user:b' WHERE seq = 5`, 5, "changed"},
		{"client edited", `UPDATE doorward.audit_lines SET client = 'shop' WHERE seq = 5`, 5, "changed"},
		{"action edited", `UPDATE doorward.audit_lines SET action = 'x' WHERE seq = 5`, 5, "changed"},
		{"object edited", `UPDATE doorward.audit_lines SET object = '' WHERE seq = 5`, 5, "changed"},
		{"detail edited", `UPDATE doorward.audit_lines SET detail = '{"a":"x"}' WHERE seq = 5`, 5, "changed"},
		{"detail unreadable", `UPDATE doorward.audit_lines SET detail = 'x' WHERE seq = 5`, 5, "changed"},
		{"time edited", `UPDATE doorward.audit_lines SET time = time + 1 WHERE seq = 5`, 5, "changed"},
		{"revision far off", `UPDATE doorward.audit_lines SET revision = 9 WHERE seq = 5`, 5, "does not follow"},
		{"hash edited", `UPDATE doorward.audit_lines SET hash = sha256('') WHERE seq = 5`, 5, "changed"},
		{"one deleted", `DELETE FROM doorward.audit_lines WHERE seq = 5`, 5, "missing"},
		{"all deleted", `DELETE FROM doorward.audit_lines`, 1, "missing"},
		{"tail cut", `DELETE FROM doorward.audit_lines WHERE seq > 5`, 6, "missing"},
		{"tail cut with the head", headAt5 + `; DELETE FROM doorward.audit_lines WHERE seq > 5`, 6, "witness"},
		{"head put back", headAt5, 7, "goes on"},
		{"head edited", `UPDATE doorward.head SET tag = sha256('')`, 8, "head says"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			database := server.Database(t)
			s := open(t, server.DSN(database), postgres.Options{})
			p := found(t, s)
			for _, id := range []portal.UserID{"a", "b", "c", "d", "e"} {
				var err error
				if p, err = addUser(t.Context(), s, id); err != nil {
					t.Fatal(err)
				}
			}
			witness := mark(t, p.String())
			server.Do(t, database, c.do)
			_, err := directory.Verify(t.Context(), s, &witness)
			var broken *audit.BrokenError
			switch {
			case c.seq == 0 && err != nil:
				t.Errorf("got %v, want all in order", err)
			case c.seq != 0 && (!errors.As(err, &broken) || broken.Seq != c.seq || !strings.Contains(broken.Why, c.why)):
				t.Errorf("got %v, want line %d: %s", err, c.seq, c.why)
			}
		})
	}
}

// What nobody of Doorward's wrote is damage, never a grant.
func TestGrantsThatNobodyWrote(t *testing.T) {
	for _, do := range []string{
		`UPDATE doorward.memberships SET scope = '{service}'`,
		`UPDATE doorward.memberships SET scope = '{NULL}'`,
		`UPDATE doorward.memberships SET presets = '{billing,NULL}'`,
		`UPDATE doorward.memberships SET account_wide = '{NULL}'`,
	} {
		database := server.Database(t)
		s := open(t, server.DSN(database), postgres.Options{})
		found(t, s)
		server.Do(t, database, do)
		key := portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: "anna"}}
		facts, _, errF := s.Facts(t.Context(), []portal.FactKey{key})
		_, errM := s.Membership(t.Context(), "acme", "anna")
		if !errors.Is(errF, postgres.ErrDamaged) || !errors.Is(errM, postgres.ErrDamaged) || facts != nil {
			t.Errorf("%s: %+v, %v, %v", do, facts, errF, errM)
		}
	}
}
