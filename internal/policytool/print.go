package policytool

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"

	"doorward/internal/policy"
)

// Print names all that the tests of a policy folder depend on: the same as long as
// no file of it changes that decides or expects something.
func Print(fsys fs.FS) string {
	hash := sha256.New()
	fmt.Fprintln(hash, policy.Read(fsys).Print())
	entries, err := fs.ReadDir(fsys, tablesFolder)
	fmt.Fprintf(hash, "%v\n", err)
	for _, entry := range entries {
		name := path.Join(tablesFolder, entry.Name())
		var data []byte
		if info, err := fs.Stat(fsys, name); err == nil && info.Mode().IsRegular() {
			data, err = fs.ReadFile(fsys, name)
			fmt.Fprintf(hash, "%v\n", err)
		}
		fmt.Fprintf(hash, "%q %d\n%s\n", name, len(data), data)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
