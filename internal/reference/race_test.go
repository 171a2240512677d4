//go:build race

package reference

// raceEnabled tells that the race detector slows the tests down tenfold.
const raceEnabled = true
