// Package policies is the policy folder that ships with Doorward, as files to
// read and edit, and embedded for a program started without a folder of its own.
//
// The folder is an ordinary Rego tree (design section 4); this file is the only
// Go in it.
package policies

import "embed"

// FS is the shipped policy folder.
//
//go:embed catalogue.yaml provider.yaml profiles inputs.yaml presets rules invariants tests
var FS embed.FS
