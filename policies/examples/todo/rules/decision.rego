# Decides as the scenario says: viewers read; editors create todos, and change and
# delete their own; admins delete any, and an evil genius changes any.
package doorward

# METADATA
# entrypoint: true
decision := {"allow": reason == "", "reason": reason, "obligations": []}

# What no rule below allows, nobody may.
default reason := "category_missing"

reason := "" if {
	input.action.effect == "read"
	viewer
}

reason := "" if {
	input.action.name == "can_create_todo"
	editor
}

reason := "" if {
	input.action.name in {"can_update_todo", "can_delete_todo"}
	editor
	owner
}

reason := "" if {
	input.action.name == "can_update_todo"
	input.request.subject.properties.roles.evil_genius == true
}

reason := "" if {
	input.action.name == "can_delete_todo"
	input.request.subject.properties.roles.admin == true
}

# An editor is a viewer, and so are, by being editors, an admin and an evil genius.
viewer if input.request.subject.properties.roles.viewer == true

viewer if editor

editor if input.request.subject.properties.roles.editor == true

editor if input.request.subject.properties.roles.admin == true

editor if input.request.subject.properties.roles.evil_genius == true

# Nobody owns what has no owner, who has no id least of all.
owner if {
	input.request.resource.properties.ownerID != ""
	input.request.resource.properties.ownerID == input.request.subject.properties.id
}
