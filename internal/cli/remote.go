package cli

import "github.com/spf13/cobra"

// A remote is a directory that a command asks over HTTP.
type remote struct{ address, tokenFile string }

// remoteFlags adds the flags that name it.
func remoteFlags(c *cobra.Command) *remote {
	r := new(remote)
	c.Flags().StringVar(&r.address, "server", "http://127.0.0.1:8081", "ask the directory at this `URL`, or unix:PATH")
	c.Flags().StringVar(&r.tokenFile, "token-file", "", "`file` with the client token to send")
	return r
}

func (r *remote) dial() (*client, error) {
	c, err := dial(r.address)
	if err != nil {
		return nil, err
	}
	return c, c.useToken(r.tokenFile)
}
