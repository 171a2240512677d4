package repo

import (
	"regexp"
	"testing"
)

// The opa command formats and checks the policies that the product's OPA runs;
// another version could accept what the product refuses.
func TestToolsHaveTheProductsOPA(t *testing.T) {
	product, tools := opaVersion(t, "go.mod"), opaVersion(t, ".tools/go.mod")
	if product != tools {
		t.Errorf("OPA is %s in go.mod and %s in .tools/go.mod; run: go -C .tools get github.com/open-policy-agent/opa@%s",
			product, tools, product)
	}
}

var opaRequirement = regexp.MustCompile(`(?m)^\s*(?:require )?github\.com/open-policy-agent/opa (v\S+)`)

func opaVersion(t *testing.T, path string) string {
	t.Helper()
	match := opaRequirement.FindSubmatch(read(t, path))
	if match == nil {
		t.Fatalf("%s does not require OPA", path)
	}
	return string(match[1])
}
