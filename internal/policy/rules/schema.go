package rules

// A Schema lists what inputs.yaml adds to the input, in the file's order.
type Schema struct {
	Has     []HasLeaf
	Request []RequestLeaf
}

// A HasLeaf is a category that rules may ask for beyond the action's guards. It
// is input.grant.has.<category> in a rule.
type HasLeaf struct {
	Category string
	Bit      int // the category's bit in a catalogue.Set
	actions  map[string]bool
}

// For tells whether the leaf is computed for that action.
func (h HasLeaf) For(action string) bool { return h.actions[action] }

// MaxText bounds a string at a RequestLeaf, in bytes: it becomes part of what is
// remembered.
const MaxText = 256

// A RequestLeaf is a part of the question that rules may read, or of what the policy
// stores of the entities in it. It is input.request.<path> in a rule.
type RequestLeaf struct {
	Path    []string // e.g. resource, properties, department
	Type    Type
	Absent  Value   // what rules see when the question does not have it
	Samples []Value // typical values, for tools that enumerate inputs
	// Stored tells that what the policy stores of an entity is all that counts: what a
	// question says of it does not.
	Stored  bool
	actions map[string]bool
}

// For tells whether the leaf is read for that action.
func (l RequestLeaf) For(action string) bool { return l.actions[action] }
