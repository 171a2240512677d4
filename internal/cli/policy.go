package cli

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"doorward/internal/fault"
	"doorward/internal/server"
)

func policyCommand(p *Process) *cobra.Command {
	c := group("policy", "Work on policies", "")
	c.AddCommand(policyCheckCommand(p), policyTestCommand(p), policyMatrixCommand(p),
		policyBundleCommand(p), policyVerifyCommand(p), policyPromoteCommand(p))
	return c
}

// A policyFolder is where a tool finds the policy.
type policyFolder struct {
	path string // "": the one built in
	fsys fs.FS
}

// folderCommand makes a command that takes one folder, and opens it: the one that is
// named, else the one of the settings, else the one built in.
func folderCommand(p *Process, c *cobra.Command, run func(*cobra.Command, policyFolder) error) *cobra.Command {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("%s takes one folder.\nUsage: %s", c.CommandPath(), c.UseLine())
		}
		return nil
	}
	s := settingsFlags(p, c, "policies")
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		folder := policyFolder{path: settings.Policies}
		if len(args) == 1 {
			folder.path = args[0]
		}
		if folder.fsys, err = server.OpenPolicy(folder.path); err != nil {
			return err
		}
		return run(c, folder)
	}
	return c
}

// named is a file of the folder as it is named outside.
func (f policyFolder) named(file string) string { return filepath.Join(f.path, file) }

// sources are the lines to show of the folder's files: of none that is a link to
// outside of it, or whoever edits a policy could have any file shown.
func (f policyFolder) sources() (in *sources, done func()) {
	if f.path == "" {
		return &sources{fsys: f.fsys}, func() {}
	}
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return &sources{fsys: embed.FS{}}, func() {}
	}
	return &sources{fsys: root.FS()}, func() { _ = root.Close() }
}

// reportFaults shows the faults in err, each with its source line, and returns the
// status; any other err is returned as it is.
func (p *Process) reportFaults(folder policyFolder, err error) error {
	faults, refused := errors.AsType[fault.List](err)
	if !refused {
		return err
	}
	in, done := folder.sources()
	defer done()
	for _, f := range faults {
		p.noteFault(folder, in, "", f)
	}
	return statusError(statusRefused)
}

// noteFault shows one fault: its first line is for editors, the rest for people.
func (p *Process) noteFault(folder policyFolder, in *sources, kind string, f fault.Fault) {
	named := f
	named.File, named.Message = folder.named(f.File), kind+f.Message
	p.notef("%s", plain(named.Error()))
	if excerpt := in.excerpt(f); excerpt != "" {
		_, _ = p.Stderr.Write([]byte(excerpt))
	}
}
