package ijson

// An arena holds the elements of all containers of one text in one allocation.
// What belongs to containers still being read is a stack that grows from the
// left; what belongs to finished ones is moved to the right. The slots suffice
// for all elements, so the two never meet.
type arena[T any] struct {
	slots []T
	top   int // end of the stack
	taken int // how many slots at the right end are finished
}

func (a *arena[T]) push(v T) {
	a.slots[a.top] = v
	a.top++
}

// take finishes the container whose elements are the stack from there on.
func (a *arena[T]) take(from int) []T {
	a.taken += a.top - from
	start := len(a.slots) - a.taken
	end := start + copy(a.slots[start:], a.slots[from:a.top])
	a.top = from
	return a.slots[start:end:end]
}
