package policytool_test

import (
	"io/fs"
	"os"
	"testing"
	"time"

	"doorward/internal/policy"
	"doorward/internal/policytool"
	"doorward/policies"
)

// The policies of other domains that ship are sound, have nothing without use, hold
// their invariants in pairs of facts, and answer as their tables say.
func TestExamplesAreSound(t *testing.T) {
	examples := os.DirFS("../../policies/examples")
	folders, err := fs.ReadDir(examples, ".")
	if err != nil || len(folders) < 2 {
		t.Fatalf("%v, %v", folders, err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			files, err := fs.Sub(examples, folder.Name())
			if err != nil {
				t.Fatal(err)
			}
			report, err := policytool.Check(t.Context(), files, time.Second)
			if err != nil || len(report.Warnings)+len(report.Notes) > 0 || report.Evidence.Answers < 10 {
				t.Errorf("%v %+v %+v", err, report.Warnings, report.Notes)
			}
			tests, err := policytool.RunTests(t.Context(), files, policytool.TestOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if ran, failed := tests.Count(); ran < 15 || failed > 0 {
				t.Errorf("%d tests, %d failed", ran, failed)
			}
		})
	}
}

// They are no part of the portal's policy: the folder on disk, which has them, is the
// embedded one, which has not.
func TestExamplesAreNoPartOfThePortal(t *testing.T) {
	var digests []string
	for _, files := range []fs.FS{policies.FS, os.DirFS("../../policies")} {
		p, err := policy.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		if p.Entities != nil {
			t.Error("the portal has entities of its own")
		}
		digests = append(digests, p.Digest, policy.Read(files).Print())
	}
	if digests[0] != digests[2] || digests[1] != digests[3] {
		t.Errorf("embedded and on disk: %q", digests)
	}
}
