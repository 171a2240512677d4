# METADATA
# title: What must hold of every answer, whatever the rules say
package doorward.invariants

# METADATA
# description: c-1-4, rule 8. What is deleted can be brought back.
violated contains "nothing_is_deleted_for_good" if {
	data.doorward.decision.allow == true
	input.action.name == "delete"
	input.request.action.properties.soft == false
}
