package rules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// ErrUndefined tells that the rules gave no decision for an input.
var ErrUndefined = errors.New("the rules decide nothing")

// An EvalError tells that the rules gave no usable answer. It denies, and must
// never be remembered. It wraps the context's error when the deadline passed.
type EvalError struct {
	Action string
	Err    error
}

// Error names the action and the cause.
func (e *EvalError) Error() string { return fmt.Sprintf("evaluate %s: %v", e.Action, e.Err) }

// Unwrap returns the cause.
func (e *EvalError) Unwrap() error { return e.Err }

// prepare compiles a query. Data is the provider's switches, as rules see them.
func prepare(query string, compiler *ast.Compiler, provider map[string]any) (rego.PreparedEvalQuery, error) {
	prepared, err := rego.New(
		rego.Query(query),
		rego.Compiler(compiler),
		rego.Store(storeOf(provider)),
		rego.StrictBuiltinErrors(true),
	).PrepareForEval(context.Background())
	if err != nil {
		return prepared, fmt.Errorf("prepare %s: %w", query, err)
	}
	return prepared, nil
}

// storeOf holds the switches where rules find them.
func storeOf(provider map[string]any) storage.Store {
	data := map[string]any{"doorward": map[string]any{"provider": provider}}
	return inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
}

// Eval asks the rules. It stops when ctx ends; give it a deadline. Its error is
// an *EvalError.
func (p *Program) Eval(ctx context.Context, in *Input) (Outcome, error) { return p.decide(ctx, in) }

// decide is Eval with more options.
func (p *Program) decide(ctx context.Context, in *Input, more ...rego.EvalOption) (outcome Outcome, err error) {
	// OPA panics on some values, and whose value it was the rules cannot know: that
	// must cost the one answer, not the process.
	defer func() {
		if cause := recover(); cause != nil {
			outcome, err = Outcome{}, &EvalError{Action: in.Action.Name, Err: fmt.Errorf("OPA panicked: %v", cause)}
		}
	}()
	outcome, err = p.eval(ctx, in, more)
	if err != nil {
		return Outcome{}, &EvalError{Action: in.Action.Name, Err: err}
	}
	return outcome, nil
}

func (p *Program) eval(ctx context.Context, in *Input, more []rego.EvalOption) (Outcome, error) {
	term, err := p.ask(ctx, p.query, in, more)
	if err != nil {
		return Outcome{}, err
	}
	return p.outcome(term)
}

// ask puts a prepared query to the rules about an input.
func (p *Program) ask(ctx context.Context, query rego.PreparedEvalQuery, in *Input, more []rego.EvalOption) (*ast.Term, error) {
	document, err := p.encoder.encode(in)
	if err != nil {
		return nil, err
	}
	results, err := query.Eval(ctx, append(p.options(document), more...)...)
	if ctxErr := ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return nil, ErrUndefined
	}
	term, ok := results[0].Expressions[0].Value.(*ast.Term)
	if !ok {
		return nil, ErrUndefined
	}
	return term, nil
}

func (p *Program) options(document ast.Value) []rego.EvalOption {
	options := []rego.EvalOption{rego.EvalParsedInput(document), rego.EvalMetrics(metrics.NoOp()), rego.EvalGenerateJSON(keepTerm)}
	if p.coverage != nil {
		options = append(options, rego.EvalQueryTracer(p.coverage))
	}
	return options
}

// keepTerm leaves a result as OPA has it.
func keepTerm(t *ast.Term, _ *rego.EvalContext) (any, error) { return t, nil }

// outcome checks what the rules answered. Nothing is taken for granted: a policy
// may be anyone's.
func (p *Program) outcome(t *ast.Term) (Outcome, error) {
	answer, ok := t.Value.(ast.Object)
	if !ok || answer.Len() != 3 {
		return Outcome{}, malformed("%v is not an object of allow, reason and obligations", t)
	}
	allow, ok := member[ast.Boolean](answer, "allow")
	if !ok {
		return Outcome{}, malformed("allow is not a boolean in %v", t)
	}
	reason, ok := member[ast.String](answer, "reason")
	if !ok {
		return Outcome{}, malformed("reason is not a string in %v", t)
	}
	if bool(allow) != (reason == "") {
		return Outcome{}, malformed("allow is %v with reason %q", allow, string(reason))
	}
	if reason != "" && !p.reasons[string(reason)] {
		return Outcome{}, malformed("%q is neither a known reason nor a guardrail", string(reason))
	}
	list, ok := member[*ast.Array](answer, "obligations")
	if !ok {
		return Outcome{}, malformed("obligations is not an array in %v", t)
	}
	obligations, err := obligations(list)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Allow: bool(allow), Reason: string(reason), Obligations: obligations}, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf(entrypoint+": "+format, args...)
}

// member returns a member of a type; false when it is missing or of another.
func member[T ast.Value](o ast.Object, name string) (T, bool) {
	term := o.Get(ast.InternedTerm(name))
	if term == nil {
		var zero T
		return zero, false
	}
	value, ok := term.Value.(T)
	return value, ok
}

func obligations(list *ast.Array) ([]Obligation, error) {
	var all []Obligation
	for i := range list.Len() {
		o, ok := list.Elem(i).Value.(ast.Object)
		if !ok {
			return nil, malformed("obligation %v is not an object", list.Elem(i))
		}
		id, ok := member[ast.String](o, "id")
		if !ok || id == "" {
			return nil, malformed("obligation %v has no id", list.Elem(i))
		}
		encoded, err := canonical(o)
		if err != nil {
			return nil, fmt.Errorf("obligation %q: %w", string(id), err)
		}
		all = append(all, Obligation{ID: string(id), JSON: encoded})
	}
	return all, nil
}

// canonical is v as JSON with sorted names and no needless space.
func canonical(v ast.Value) ([]byte, error) {
	plain, err := ast.JSON(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(plain); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
