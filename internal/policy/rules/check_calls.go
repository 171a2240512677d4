package rules

import "github.com/open-policy-agent/opa/v1/ast"

// calls are the arguments of every call, by what is called.
type calls map[string][][]*ast.Term

func callsIn(modules map[string]*ast.Module) calls {
	found := calls{}
	for _, module := range modules {
		eachCall(module, func(name string, arguments []*ast.Term) {
			found[name] = append(found[name], arguments)
		})
	}
	return found
}

// functions checks what functions are called with, so that a value compared in a
// function is checked like one compared where the function is called.
func (c *checker) functions(modules map[string]*ast.Module) {
	found := callsIn(modules)
	for path, module := range modules {
		c.test = isTest(path)
		for _, rule := range module.Rules {
			for at := rule; at != nil; at = at.Else {
				for i, parameter := range at.Head.Args {
					c.parameter(parameter, i, found[rule.Ref().String()], rule.Loc())
				}
			}
		}
	}
}

// parameter checks the i-th parameter of a function. A variable stands for what
// all calls pass, if that is one thing.
func (c *checker) parameter(p *ast.Term, i int, calls [][]*ast.Term, at *ast.Location) {
	var passed *ast.Term
	for n, arguments := range calls {
		if i >= len(arguments) {
			return
		}
		if _, variable := p.Value.(ast.Var); !variable {
			c.compare(p, arguments[i], at)
		} else if n > 0 && !passed.Equal(arguments[i]) {
			return
		}
		passed = arguments[i]
	}
	if passed != nil {
		standFor(c.locals, p, passed)
	}
}
