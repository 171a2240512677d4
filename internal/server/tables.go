package server

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"doorward/internal/config"
	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policytool"
)

// refuses tells whether a policy whose tables fail is not put in force.
func refuses(c config.Config) bool { return c.Policy.FailingTables == config.RefuseFailing }

// refuseFailing runs the tables of the policy folder where that they fail keeps a
// server from starting. Its error is then a fault.List.
func refuseFailing(ctx context.Context, c config.Config, source policy.Source) error {
	if c.Policies == "" || !refuses(c) {
		return nil
	}
	failing, err := failingTables(c)(ctx, source)
	if err != nil {
		return err
	}
	return Below(c.Policies, failing.Err())
}

// failingTables runs the tables of a policy folder: where nobody waits for the answer,
// on one processor, because decisions need the others.
func failingTables(c config.Config) func(context.Context, policy.Source) (fault.List, error) {
	workers := 1
	if refuses(c) {
		workers = runtime.GOMAXPROCS(0)
	}
	return func(ctx context.Context, source policy.Source) (fault.List, error) {
		results, err := policytool.RunSource(ctx, source, workers)
		if malformed, ok := errors.AsType[fault.List](err); ok {
			return malformed, nil
		}
		if err != nil {
			return nil, fmt.Errorf("run tables: %w", err)
		}
		return failingRows(results), nil
	}
}

// failingRows are the rows with an answer that is not the expected one, a fault each.
func failingRows(results []policytool.Result) fault.List {
	var rows fault.List
	for _, r := range results {
		if r.OK() {
			continue
		}
		says := r.Action + " is answered " + r.Got + ", not " + r.Want
		if last := len(rows) - 1; last >= 0 && rows[last].File == r.File && rows[last].Line == r.Line {
			rows[last].Message += "; " + says
			continue
		}
		rows.Add(fault.Fault{File: r.File, Line: r.Line, Message: says})
	}
	return rows
}

// rowsFail says how many rows of which files fail.
func rowsFail(failing fault.List) string {
	var files []string
	for _, f := range failing {
		if !slices.Contains(files, f.File) {
			files = append(files, f.File)
		}
	}
	const shown = 3
	if more := len(files) - shown; more > 0 {
		files = append(files[:shown:shown], fmt.Sprintf("%d more", more))
	}
	if len(failing) == 1 {
		return "1 row of " + files[0] + " fails"
	}
	return fmt.Sprintf("%d rows of %s fail", len(failing), strings.Join(files, ", "))
}
