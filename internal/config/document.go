package config

import (
	"fmt"
	"strings"
)

// Markdown returns docs/config.md: the table of settings and how they combine.
func Markdown() string {
	var b strings.Builder
	b.WriteString(introduction)
	b.WriteString("| key | variable | flag | value | default | meaning |\n|---|---|---|---|---|---|\n")
	for _, s := range Table() {
		value := s.Default()
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | `--%s` | %s | %s | %s |\n", s.Key, s.Variable(), s.Flag(), s.Kind, value, s.Doc)
	}
	b.WriteString(rest)
	return b.String()
}

const introduction = `# Configuration

This page is generated from ` + "`internal/config`" + `; ` + "`go test ./internal/config -update`" + ` rewrites it.

Doorward needs no configuration. When there is some, the first of these that has a setting wins:

1. a flag: ` + "`doorward serve --listen-address 127.0.0.1:9000`" + `
2. an environment variable: ` + "`DOORWARD_LISTEN_ADDRESS=127.0.0.1:9000`" + `
3. the configuration file: the one named by ` + "`--config`" + `, else by ` + "`DOORWARD_CONFIG`" + `, else ` + "`doorward.yaml`" + ` in the working
   directory if there is one
4. the default

` + "```yaml" + `
listen:
  address: 127.0.0.1:9000
log:
  format: json
` + "```" + `

` + "`doorward serve`" + `, ` + "`directory`" + ` and ` + "`sidecar`" + ` take every setting as a flag. The other commands take the flags that concern them (` + "`--data`" + `,
` + "`--policies`" + `), and read the variables and the file like ` + "`serve`" + ` does. Relative paths start at the working directory.

## Settings

`

const rest = `
## What is refused

A process that is not set up as its owner thinks is worse than one that does not start. These stop it with exit status 3, with
the file and line, the variable or the flag, and what to do; nothing has been opened by then:

- a key, a ` + "`DOORWARD_`" + ` variable or a value that is not understood, also one that a stronger source would override, and a key
  that is set twice. (The variables that Kubernetes makes for a Service called ` + "`doorward`" + ` are left alone.)
- an address that other machines can reach (` + "`0.0.0.0`" + `, ` + "`::`" + `, no host, or a name that resolves to one) without all of
  ` + "`tls.cert_file`" + `, ` + "`tls.key_file`" + ` and ` + "`auth.mode: token`" + `
- a certificate without its key, or a key without its certificate
- a socket that every user of the machine may use, without ` + "`auth.mode: token`" + `; a socket mode that lets nobody connect
- neither an address nor a socket
- times and sizes outside their bounds
- a sidecar without ` + "`directory.urls`" + ` or ` + "`directory.token_file`" + `; a directory whose ` + "`gates.address`" + ` other machines can reach without TLS, or
  whose ` + "`gates.margin`" + ` is too short; ` + "`serve`" + ` with a PostgreSQL database

` + "`doorward directory`" + ` listens on 127.0.0.1:8081 unless ` + "`listen.address`" + ` says otherwise.

There is no setting for a secret. Keys, tokens and database URLs are read from files (` + "`tls.key_file`" + `), and client tokens are kept as digests in the
directory (` + "`doorward token create`" + `).
`
