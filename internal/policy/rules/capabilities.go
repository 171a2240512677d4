package rules

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// pureTime are the functions of time.* that do not depend on the machine. The
// others read its zone database or, for "Local" and for zone abbreviations, its
// own zone, so that two gates could answer one question differently.
var pureTime = []string{"time.parse_rfc3339_ns", "time.parse_duration_ns"}

// capabilities are OPA's built-ins without the impure ones: an answer may be
// remembered only if it depends on nothing but the input (S20).
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(c.Builtins, func(b *ast.Builtin) bool { return impure(b) != "" })
	c.AllowNet = []string{}
	return c
}

// impure tells why rules may not use a built-in, or "" when they may.
func impure(b *ast.Builtin) string {
	switch {
	case strings.HasPrefix(b.Name, "time.") && !slices.Contains(pureTime, b.Name):
		return "it depends on the clock or the time zones of the machine; facts that depend on time are computed before the rules"
	case b.IsNondeterministic():
		return "its answer depends on more than its arguments"
	case strings.HasPrefix(b.Name, "crypto.x509.parse_and_verify_certificates"):
		return "it verifies at the current time"
	case b.Name == ast.Trace.Name || b.Name == ast.Print.Name || b.Name == ast.InternalPrint.Name:
		return "its output is lost when an answer is remembered"
	default:
		return ""
	}
}

// whyRefused tells why the built-in of that name is not available, or "" when
// OPA has none or it is available.
func whyRefused(name string) string {
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		if b.Name == name {
			return impure(b)
		}
	}
	return ""
}
