# Decides as section c-1-4 of the scenario says; its rules are cited by number. That
# subject and resource are those of entities.yaml was seen to before.
package doorward

# METADATA
# entrypoint: true
decision := {"allow": reason == "", "reason": reason, "obligations": []}

# What no rule below allows, nobody may.
default reason := "category_missing"

# 1, 3
reason := "" if input.action.name == "read"

# 2, 5: what is archived is not written, but by administrators.
reason := "" if {
	input.action.name == "write"
	input.request.subject.properties.role != "admin"
	input.request.resource.properties.status == "active"
}

# 4, 6: bob is one (c-1-1), and must not write record-1, which is active.
reason := "" if {
	input.action.name == "write"
	input.request.subject.properties.role == "admin"
	input.request.resource.properties.status == "archived"
}

# 7, 8
reason := "" if {
	input.action.name == "delete"
	input.request.action.properties.soft == true
}
