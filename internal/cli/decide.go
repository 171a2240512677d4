package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"doorward/internal/authzen"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// decideFlags are the flags of decide that are no settings.
type decideFlags struct {
	account    string
	context    string
	properties []string
	server     string
	tokenFile  string
	json       bool
	explain    bool
}

func decideCommand(p *Process) *cobra.Command {
	var f decideFlags
	c := &cobra.Command{
		Use: "decide SUBJECT ACTION RESOURCE", Short: "Ask one question", Args: exactly(3),
		Long: "Asks whether SUBJECT may do ACTION on RESOURCE, and prints allow or deny with the reason.\n\n" +
			"The answer comes from the directory and the policy on this machine, or from a running server with --server.\n\n" +
			"With --explain it says why: the rule that decided, where each permission comes from, the facts, the single\n" +
			"changes that would make the other answer, and the question as a row of a table of expected answers.",
		Example: "  doorward decide user:carl invoice.pay account:acme\n" +
			"  doorward decide user:carl ticket.open ticket:17 --account acme --property department=billing\n" +
			"  doorward decide user:carl invoice.pay account:acme --server unix:/run/doorward.sock\n" +
			"  doorward decide user:sam invoice.view account:acme --explain",
	}
	s := settingsFlags(p, c, "data", "database.url_file", "policies")
	c.Flags().StringVar(&f.account, "account", "", "the `account` acted on (context.account)")
	c.Flags().StringVar(&f.context, "context", "", "the context: a JSON `object`, or @FILE with one")
	c.Flags().StringArrayVar(&f.properties, "property", nil, "a property of the resource: `name=text`, or name:=JSON")
	c.Flags().StringVar(&f.server, "server", "", "ask the server at this `URL`, or unix:PATH")
	c.Flags().StringVar(&f.tokenFile, "token-file", "", "`file` with the client token to send")
	c.Flags().BoolVar(&f.explain, "explain", false, "say why; over --server the token needs the scope explain")
	jsonFlag(c, &f.json)
	c.RunE = func(c *cobra.Command, args []string) error {
		body, err := f.question(args)
		if err != nil {
			return err
		}
		return f.ask(c.Context(), p, s, body)
	}
	return c
}

// question writes the AuthZEN request.
func (f *decideFlags) question(args []string) ([]byte, error) {
	subject, err := portal.ParseRef(args[0])
	if err != nil {
		return nil, usagef("SUBJECT %v", err)
	}
	resource, err := portal.ParseRef(args[2])
	if err != nil {
		return nil, usagef("RESOURCE %v", err)
	}
	thing := map[string]any{"type": resource.Type, "id": resource.ID}
	if len(f.properties) > 0 {
		if thing["properties"], err = readProperties(f.properties); err != nil {
			return nil, err
		}
	}
	q := map[string]any{
		"subject":  map[string]any{"type": subject.Type, "id": subject.ID},
		"action":   map[string]any{"name": args[1]},
		"resource": thing,
	}
	around, err := f.readContext()
	if err != nil {
		return nil, err
	}
	if len(around) > 0 {
		q["context"] = around
	}
	return json.Marshal(q)
}

// readContext puts --context and --account together.
func (f *decideFlags) readContext() (map[string]json.RawMessage, error) {
	text := []byte(f.context)
	if file, ok := strings.CutPrefix(f.context, "@"); ok {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("read context: %w", err)
		}
	}
	around := map[string]json.RawMessage{}
	if len(text) > 0 {
		if _, err := ijson.Parse(text); err != nil {
			return nil, usagef("--context: %v", err)
		}
		if err := json.Unmarshal(text, &around); err != nil {
			return nil, usagef("--context: %v", err)
		}
	}
	if f.account == "" {
		return around, nil
	}
	if _, twice := around["account"]; twice {
		return nil, usagef("--account and --context both name an account; keep one of them")
	}
	account, err := json.Marshal(f.account)
	around["account"] = account
	return around, err
}

// readProperties reads name=text and name:=JSON.
func readProperties(pairs []string) (map[string]any, error) {
	properties := map[string]any{}
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		name, isJSON := strings.CutSuffix(name, ":")
		if !ok || name == "" {
			return nil, usagef("--property %q is neither name=text nor name:=JSON", pair)
		}
		if _, twice := properties[name]; twice {
			return nil, usagef("--property %s is given twice", name)
		}
		properties[name] = text
		if isJSON {
			if _, err := ijson.ParseAny([]byte(text)); err != nil {
				return nil, usagef("--property %s: %v", name, err)
			}
			properties[name] = json.RawMessage(text)
		}
	}
	return properties, nil
}

// ask has the question answered and prints the answer.
func (f *decideFlags) ask(ctx context.Context, p *Process, s *settings, body []byte) (err error) {
	var c *client
	if f.server == "" {
		if f.tokenFile != "" {
			return usagef("--token-file is for --server; a question to the directory here needs no token")
		}
		local, done, err := openLocal(ctx, p, s)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		c = local
	} else if c, err = dial(f.server); err != nil {
		return err
	}
	if err := c.useToken(f.tokenFile); err != nil {
		return err
	}
	path := authzen.EvaluationPath
	if f.explain {
		path += "?explain"
	}
	status, answer, err := c.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	return p.printDecision(status, answer, f)
}
