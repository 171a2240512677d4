package explain

import (
	"bytes"
	"io/fs"
	"strconv"

	"doorward/policies"
)

func shippedFile(name string) ([]byte, error) { return fs.ReadFile(policies.FS, name) }

func itoa(n int) string { return strconv.Itoa(n) }

// csvLines is how many lines the shipped presets have; those of tests follow.
func csvLines() int {
	data, err := shippedFile("presets/presets.csv")
	if err != nil {
		return 0
	}
	return bytes.Count(data, []byte("\n"))
}
