// Package chaos runs Doorward as it is deployed, real processes on a real PostgreSQL with a
// real Redis beside them, breaks them in every way there is a tool for, and judges what
// people were told meanwhile.
//
// It is tests only, and knows nothing of how freshness is kept: only what the processes
// answer over HTTP, and when. Its invariants: what it calls a violation is one, whatever was
// broken; it ends what it has started; and a run in which too little happened fails.
package chaos
