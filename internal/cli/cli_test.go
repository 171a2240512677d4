package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"doorward/internal/cli"
	"doorward/internal/config"
	"doorward/internal/demo"
	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/shared/redistest"
	"doorward/internal/server"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"doorward": doorward})
}

// doorward is cmd/doorward's main.
func doorward() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Main(ctx, cli.Process{
		Args: os.Args[1:], Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: "v0-test",
	})
	stop()
	os.Exit(status)
}

func TestScripts(t *testing.T) {
	redis := redistest.New(t)
	testscript.Run(t, testscript.Params{
		Setup: func(e *testscript.Env) error {
			_, port, err := net.SplitHostPort(redis.Address)
			e.Setenv("REDIS_PORT", port)
			return err
		},
		Dir:           "testdata",
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "serve": serve, "sql": execSQL, "token": lastToken,
			"paste": paste, "pastedemo": pasteDemo, "extract": extract, "copypolicies": copyPolicies,
			"replace": replace, "work": work, "masked": masked, "position": lastPosition, "sign": sign, "keep": keep,
			"addresses": addresses, "eventually": eventually, "answers": answers,
		},
	})
}

// status N ARG...: runs doorward ARG... and wants the exit status N.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("doorward", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// serve [token]: runs a server with the demo portal on ./var, for the rest of the
// script; its URL is $URL. With token, every question needs one.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	c := config.Default()
	c.Listen.Address, c.Listen.Socket = "127.0.0.1:0", ts.MkAbs("s")
	c.Data = ts.MkAbs("var")
	if len(args) > 0 {
		c.Auth.Mode = config.AuthToken
	}
	ctx, stop := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, c, server.Options{
			Log: slog.New(slog.DiscardHandler), Version: "v0-test",
			Prepare: func(ctx context.Context, s *server.Service) error {
				_, err := demo.Load(ctx, s.Store, s.Policy.Catalogue, s.Policy.Presets)
				return err
			},
			Started: func(urls []string) { started <- urls[0] },
		})
	}()
	select {
	case url := <-started:
		ts.Setenv("URL", url)
		ts.Defer(func() { stop(); <-ended })
	case err := <-ended:
		stop()
		ts.Fatalf("serve: %v", err)
	}
}

// masked FILE: writes stdout to FILE without what differs from one run, or one edit of
// the policy, to the next: lines, positions and digests.
func masked(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("stdout")
	for pattern, instead := range map[string]string{
		`\.(rego|yaml|csv):\d+`: ".$1:LINE",
		`\b\d+\.[0-9a-f]{32}\b`: "POSITION",
		`\b[0-9a-f]{64}\b`:      "DIGEST",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, instead)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// sql STATEMENT: tampers with the directory in ./var.
func execSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", server.DatabasePath(ts.MkAbs("var")))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[0])
	ts.Check(err)
}

// keep TEXT: keeps a record in the directory in ./var, as one that a sidecar has sent.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	store, err := sqlite.Open(context.Background(), server.DatabasePath(ts.MkAbs("var")), sqlite.Options{MustExist: true})
	ts.Check(err)
	defer store.Close()
	gates, err := store.Gates(context.Background(), sqlite.Options{})
	ts.Check(err)
	defer gates.Close()
	kept, err := gates.Records(context.Background(), barrier.Kept{}, 1000)
	ts.Check(err)
	ts.Check(gates.Keep(context.Background(), "test", []gate.Record{{Seq: uint64(len(kept) + 1), Data: []byte(args[0])}}))
}

// token ID: puts the id of the token on stdout into $ID.
func lastToken(ts *testscript.TestScript, _ bool, _ []string) {
	parts := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "_")
	if len(parts) != 3 {
		ts.Fatalf("stdout is no token")
	}
	ts.Setenv("ID", parts[1])
}

// position NAME [FILE]: puts the first position on stdout, or in the file, into $NAME.
func lastPosition(ts *testscript.TestScript, _ bool, args []string) {
	from := append(args[1:], "stdout")[0]
	at := regexp.MustCompile(`\b\d+\.[0-9a-f]{32}\b`).FindString(ts.ReadFile(from))
	if at == "" {
		ts.Fatalf("%s has no position", from)
	}
	ts.Setenv(args[0], at)
}

// A server started by the command itself says at once that it starts, prints
// where it answers and what to ask, and stops cleanly when its context ends. Of
// somebody's own portal it does not say that it is the demo.
func TestServeDemoPrintsWhatToDo(t *testing.T) {
	t.Chdir(t.TempDir())
	text, messages := serveDemo(t, "data", "invoice.list")
	for _, want := range []string{"Doorward answers on http://127.0.0.1:", "user:anna", "curl -sw '\\n' http://127.0.0.1:"} {
		if !strings.Contains(text, want) {
			t.Errorf("stdout lacks %q:\n%s", want, text)
		}
	}
	if got := strings.Count(text, "\ncurl "); got != 3 {
		t.Errorf("%d curl lines, want 3", got)
	}
	if !strings.Contains(strings.SplitN(messages, "\n", 2)[0], "msg=starting") {
		t.Errorf("the first message is not that it starts: %s", messages)
	}
	if _, err := os.Stat(filepath.Join("data", "doorward.db")); err != nil {
		t.Error(err)
	}
	if again, messages := serveDemo(t, "data", "invoice.list"); !strings.Contains(again, "user:anna") || !strings.Contains(messages, "as it was left") {
		t.Errorf("started again:\n%s%s", again, messages)
	}

	own := `{"kind":"meta","format":"doorward-import/1","source":"own"}
{"kind":"user","id":"u","email":"u@shop.example"}
{"kind":"account","id":"a"}
{"kind":"membership","account":"a","user":"u","owner":true}
`
	if status := cli.Main(t.Context(), cli.Process{Args: []string{"import", "-", "--data", "own"}, Stdin: strings.NewReader(own), Stdout: io.Discard, Stderr: io.Discard}); status != 0 {
		t.Fatalf("import: exit status %d", status)
	}
	if text, messages := serveDemo(t, "own", "answers on"); strings.Contains(text, "anna") || !strings.Contains(messages, "was not loaded") {
		t.Errorf("on somebody's own portal:\n%s%s", text, messages)
	}
}

// serveDemo runs serve --demo until it has printed a text.
func serveDemo(t *testing.T, data, until string) (stdout, stderr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out := &watched{stop: stop, until: until}
	var messages bytes.Buffer
	status := cli.Main(ctx, cli.Process{
		Args:   []string{"serve", "--demo", "--listen-address", "127.0.0.1:0", "--data", data},
		Stdout: out, Stderr: &messages, Version: "v0-test",
	})
	if status != 0 {
		t.Errorf("exit status %d: %s", status, messages.String())
	}
	return out.String(), messages.String()
}

// A watched writer stops the server once a text was written.
type watched struct {
	bytes.Buffer
	until string
	stop  context.CancelFunc
}

// Write keeps p.
func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.until) {
		w.stop()
	}
	return n, err
}
