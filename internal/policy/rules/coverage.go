package rules

import (
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// A Coverage notes which parts of the rules were reached while inputs were judged, for
// people who want to know what their tests exercise. It is safe for concurrent use;
// the zero Coverage has noted nothing.
type Coverage struct {
	mu        sync.Mutex
	answered  map[place]bool // rules and branches that gave their value
	evaluated map[place]bool // expressions
}

// A place is where something begins, the same in every compilation of a file.
type place struct {
	file         string
	line, column int
}

func placeOf(at *ast.Location) place { return place{at.File, at.Row, at.Col} }

// Covering is p with every evaluation noted in c. It is slower than p, and answers the
// same.
func (p *Program) Covering(c *Coverage) *Program {
	covering := *p
	covering.coverage = c
	return &covering
}

// Enabled satisfies topdown.QueryTracer.
func (c *Coverage) Enabled() bool { return true }

// Config satisfies topdown.QueryTracer.
func (c *Coverage) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent satisfies topdown.QueryTracer.
func (c *Coverage) TraceEvent(event topdown.Event) {
	switch node := event.Node.(type) {
	case *ast.Rule:
		if event.Op == topdown.ExitOp {
			c.note(&c.answered, node.Head.Location)
		}
	case *ast.Expr:
		if event.Op == topdown.EvalOp {
			c.note(&c.evaluated, node.Location)
		}
	}
}

func (c *Coverage) note(in *map[place]bool, at *ast.Location) {
	if at == nil || at.File == "" {
		return // OPA made it up
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if *in == nil {
		*in = map[place]bool{}
	}
	(*in)[placeOf(at)] = true
}

// Reached tells of a rule whether it ever gave its value, and of an expression
// whether it was ever evaluated.
func (c *Coverage) Reached(p Part) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Kind == Expression {
		return c.evaluated[p.place()]
	}
	return c.answered[p.place()]
}
