package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/internal/policytool"
)

func policyBundleCommand(p *Process) *cobra.Command {
	var signing, id, output string
	var asJSON bool
	c := &cobra.Command{
		Use: "bundle FOLDER", Short: "Check a policy folder and write it as one signed file", Args: exactly(1),
		Long: "Checks FOLDER as doorward policy check does and, if it is sound, writes all that is read of it, its tests and tables\n" +
			"included, to a bundle in OPA's format, signed with the private key of --signing-key (PEM; RSA, or ECDSA on P-256,\n" +
			"P-384 or P-521).",
		Example: "  doorward policy bundle ./policies --signing-key policy.key -o policy.tar.gz",
	}
	c.Flags().StringVar(&signing, "signing-key", "", "`file` with the private key to sign with")
	c.Flags().StringVar(&id, "key-id", bundle.DefaultKeyID, "what those who verify call the key")
	c.Flags().StringVarP(&output, "output", "o", "", "the new `file` to write")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		if signing == "" || output == "" {
			return usagef("%s needs --signing-key and --output.\nUsage: %s", c.CommandPath(), c.UseLine())
		}
		key, err := bundle.ReadSigningKey(id, signing)
		if err != nil {
			return err
		}
		data, digest, err := p.makeBundle(c.Context(), args[0], key, asJSON)
		if err != nil {
			return err
		}
		err = p.toFile("bundle", output, func(to io.Writer) error {
			_, err := to.Write(data)
			return err
		})
		if err != nil {
			return err
		}
		return p.printBundle(asJSON, digest, id, len(data))
	}
	return c
}

// makeBundle makes a bundle of a sound folder, and shows its warnings. It follows no link
// to outside of the folder, or whoever edits a policy could have any file signed and sent.
func (p *Process) makeBundle(ctx context.Context, path string, key bundle.SigningKey, asJSON bool) ([]byte, string, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, "", fmt.Errorf("open policy folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	folder := policyFolder{path: path, fsys: root.FS()}
	source := policy.Read(folder.fsys)
	report, err := policytool.Check(ctx, folder.fsys, policytool.Exploring)
	if err != nil {
		return nil, "", p.refusePolicy(folder, err, asJSON)
	}
	if policy.Read(folder.fsys).Print() != source.Print() {
		return nil, "", errors.New("the folder changed while it was checked; run it again")
	}
	for _, w := range report.Warnings {
		p.noteFault(folder, &sources{fsys: folder.fsys}, "warning: ", w.Fault)
	}
	data, err := bundle.Write(source, report.Policy.Digest, key)
	if err != nil {
		return nil, "", p.refusePolicy(folder, err, asJSON)
	}
	return data, report.Policy.Digest, nil
}

// refusePolicy shows the faults in err, as messages or as data; any other err is returned
// as it is.
func (p *Process) refusePolicy(folder policyFolder, err error, asJSON bool) error {
	if asJSON {
		return p.printFaultsJSON(folder, err)
	}
	return p.reportFaults(folder, err)
}

// printBundle tells of a bundle which policy it is, and whose.
func (p *Process) printBundle(asJSON bool, digest, keyID string, size int) error {
	if asJSON {
		return p.printJSON(map[string]any{"ok": true, "digest": digest, "key_id": keyID, "bytes": size})
	}
	return p.printf("digest: %s\nkey: %s\n", digest, keyID)
}

func policyVerifyCommand(p *Process) *cobra.Command {
	var trusted []string
	var asJSON bool
	c := &cobra.Command{
		Use: "verify FILE", Short: "Tell which policy a bundle is, and by which key it is signed", Args: exactly(1),
		Long: "Opens the bundle FILE if it is what was signed with one of the keys given, loads it as a server would that puts it\n" +
			"in force, and prints its digest and the id of the key.",
		Example: "  doorward policy verify policy.tar.gz --verification-key policy.pub\n" +
			"  doorward policy verify policy.tar.gz --verification-key 2026=old.pub --verification-key 2027=new.pub",
	}
	c.Flags().StringArrayVar(&trusted, "verification-key", nil, "`[ID=]FILE` with a public key that is trusted; without an id it is called "+bundle.DefaultKeyID+"; may be repeated")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(trusted) == 0 {
			return usagef("%s needs --verification-key.\nUsage: %s", c.CommandPath(), c.UseLine())
		}
		keys, err := bundle.ReadKeys(trusted...)
		if err != nil {
			return err
		}
		data, err := bundle.ReadFile(args[0])
		if err != nil {
			return err
		}
		b, err := bundle.Open(data, keys)
		if err != nil {
			return fmt.Errorf("open %s: %w", args[0], err)
		}
		loaded, err := policy.Read(b.Files).LoadChecked()
		if err != nil {
			return p.refusePolicy(policyFolder{path: args[0], fsys: b.Files}, err, asJSON)
		}
		return p.printBundle(asJSON, loaded.Digest, b.KeyID, len(data))
	}
	return c
}
