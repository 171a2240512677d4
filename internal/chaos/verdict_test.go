package chaos

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// judge checks what is left of a scene.
func (s *scene) judge(ctx context.Context, binary string) {
	ctx, cancel := context.WithTimeout(ctx, settlingWait)
	defer cancel()
	s.checkAnswers()
	for _, step := range []struct {
		of    check
		check func(context.Context) error
	}{
		{recorded, s.checkSpools}, {durable, s.checkDatabase}, {trail, func(ctx context.Context) error { return s.checkTrail(ctx, binary) }},
	} {
		if err := step.check(ctx); err != nil {
			s.violate(step.of, "%v", err)
		}
	}
	s.checkCache()
	for _, p := range s.all() {
		for _, odd := range p.oddities() {
			s.violate(healthy, "%s", odd)
		}
	}
}

// checkAnswers checks the history of every place.
func (s *scene) checkAnswers() {
	for _, p := range slices.Concat(s.owners, s.places) {
		for _, v := range p.check() {
			s.violate(promise, "%s", v)
		}
		bound, after := p.tested()
		s.counts.add(inWindows, bound)
		s.counts.add(soonAsked, after)
	}
}

// checkSpools waits until sidecars have handed over all decisions about sensitive actions.
func (s *scene) checkSpools(ctx context.Context) error {
	for _, p := range s.sidecars {
		err := eventually(ctx, p.name+" hands over what it has recorded", func() bool {
			all, err := s.scrape(p)
			return err == nil && all["doorward_gate_spool_records"] == 0
		})
		if err != nil {
			return err
		}
		s.tally(p)
	}
	return nil
}

// checkDatabase compares the database with what was acknowledged: memberships, and
// decisions about sensitive actions that were given (R16).
func (s *scene) checkDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, url(s.database.address, s.name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	active := map[string]bool{}
	rows, err := conn.Query(ctx, "SELECT account_id, user_id FROM doorward.memberships WHERE state = 'active'")
	if err != nil {
		return err
	}
	for rows.Next() {
		p := &place{}
		if err := rows.Scan(&p.account, &p.user); err != nil {
			return err
		}
		active[p.path()] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, p := range slices.Concat(s.owners, s.places) {
		s.counts.add(memberships, 1)
		for _, v := range p.checkStored(active[p.path()]) {
			s.violate(durable, "%s", v)
		}
	}
	var records int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM doorward.records").Scan(&records); err != nil {
		return err
	}
	if records < s.given {
		s.violate(recorded, "%d decisions about sensitive actions were given, and %d are recorded", s.given, records)
	}
	return nil
}

// checkTrail has the product verify the audit trail, up to a position that somebody was
// told.
func (s *scene) checkTrail(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, binary, "audit", "verify", "--database-url-file", s.url, "--witness", s.witness)
	cmd.Env = plainEnvironment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("the audit trail does not verify: %w: %s", err, out)
	}
	for word := range strings.FieldsSeq(string(out)) {
		if n, err := strconv.Atoi(strings.ReplaceAll(word, ",", "")); err == nil {
			s.counts.add(auditLines, n)
			break
		}
	}
	return nil
}

// checkCache checks that sidecars refuse no entries but those that were edited, and counts
// what they found. That none of those was believed shows in what they answered.
func (s *scene) checkCache() {
	odd := s.sums.finds("forged") + s.sums.finds("malformed")
	if odd > 0 && s.injected == 0 {
		s.violate(believed, "no entry of Redis was edited, and %d were refused", odd)
	}
	s.counts.add(refusedFind, odd+s.sums.finds("unknown_key"))
	s.counts.add(found, s.sums.finds("found"))
}

// tested counts the answers that had to be the one right answer, and of these those to
// questions right after a removal was enforced.
func (p *place) tested() (bound, after int) {
	for _, a := range p.answers {
		for i, w := range p.windows() {
			if a.begun < w.from || a.ended > w.to {
				continue
			}
			bound++
			if i > 0 && !w.allow && a.begun-w.from <= soon {
				after++
			}
			break
		}
	}
	return bound, after
}

// quantile is the smallest of sorted values that so large a part of them does not exceed.
func quantile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}
