package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/ijson"
	"doorward/internal/policy/bundle"
)

func policyPromoteCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "promote FILE", Short: "Put the policy of a bundle in force at every sidecar", Args: exactly(1),
		Long: "Sends the bundle FILE to a running doorward directory, which verifies and checks it and waits until every sidecar\n" +
			"judges by it. The token needs the scope policy. When it is not in force everywhere yet, status 8 tells so.",
		Example: "  doorward policy promote policy.tar.gz --server https://directory.example:8081 --token-file policy.token",
	}
	r := remoteFlags(c)
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		data, err := bundle.ReadFile(args[0])
		if err != nil {
			return err
		}
		asked, err := r.dial()
		if err != nil {
			return err
		}
		return p.promote(c.Context(), asked, data, asJSON)
	}
	return c
}

func (p *Process) promote(ctx context.Context, asked *client, data []byte, asJSON bool) error {
	asked.http.Timeout = promoteTimeout
	status, answer, err := asked.send(ctx, http.MethodPut, "/v1/policy", "application/gzip", data)
	if err != nil {
		return err
	}
	v, err := ijson.Parse(answer)
	if err != nil {
		return fmt.Errorf("read the server's answer (HTTP %d): %w", status, err)
	}
	if status != http.StatusOK && status != http.StatusAccepted {
		return refusedBy("not promoted", status, v)
	}
	if asJSON {
		err = p.printf("%s", answer)
	} else {
		err = p.printPromotion(v)
	}
	if err == nil && status == http.StatusAccepted {
		return statusError(statusPending)
	}
	return err
}

// promoteTimeout is longer than a directory checks a policy and waits for sidecars.
const promoteTimeout = 60 * time.Second

func (p *Process) printPromotion(v ijson.Value) error {
	if e := v.Get("enforced"); e.Kind() == ijson.Object {
		return p.printf("policy %s is in force at every sidecar, after %s ms\n", plain(v.Get("digest").Text()), e.Get("milliseconds").Text())
	}
	return p.printf("policy %s was promoted and is not in force at every sidecar yet: see doorward gates\n", plain(v.Get("digest").Text()))
}
