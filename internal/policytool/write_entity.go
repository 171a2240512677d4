package policytool

import (
	"go.yaml.in/yaml/v3"

	"doorward/internal/ijson"
)

// entityRow writes a question about the policy's own entities: no directory is in it, so
// they keep their names.
func (w *rowWriter) entityRow() *yaml.Node {
	q, row := &w.Question, flow(yaml.MappingNode)
	put(row, "req", words(nil))
	who := word(q.Subject.Ref.String())
	if said := w.said("subject", q.Subject.Properties); len(said.Content) > 0 {
		entity := flow(yaml.MappingNode)
		put(entity, "entity", who)
		put(entity, "properties", said)
		who = entity
	}
	put(row, "who", who)
	put(row, "do", word(q.Action.Name))
	putSaid(row, "with", w.said("action", q.Action.Properties))
	put(row, "on", word(q.Resource.String()))
	putSaid(row, "properties", w.said("resource", q.Resource.Properties))
	putSaid(row, "context", w.context())
	put(row, "want", word(w.want))
	return row
}

func putSaid(row *yaml.Node, name string, said *yaml.Node) {
	if len(said.Content) > 0 {
		put(row, name, said)
	}
}

// said writes those properties that can count. An account among them makes the question
// another one.
func (w *rowWriter) said(root string, properties ijson.Value) *yaml.Node {
	said, declared := flow(yaml.MappingNode), w.declared(root, "properties")
	for _, m := range properties.Members() {
		if declared[m.Name] || root == "resource" && m.Name == "account" {
			put(said, m.Name, node(m.Value))
		}
	}
	return said
}
