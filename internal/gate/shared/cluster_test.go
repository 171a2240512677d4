package shared

import (
	"fmt"
	"strings"
	"testing"

	"doorward/internal/portal"
)

// A cluster that says what none says finds nothing, and nothing falls over (S29).
func TestAClusterThatIsNone(t *testing.T) {
	node := "*2\r\n$9\r\n127.0.0.1\r\n:PORT\r\n"
	for what, slots := range map[string]string{
		"no slots": "*0\r\n", "nothing": "*-1\r\n", "empty slots": "*1\r\n*0\r\n", "nobody has them": "*1\r\n*2\r\n:0\r\n:16383\r\n",
		"less than a range": "*1\r\n*1\r\n:0\r\n", "slots beyond all": "*1\r\n*3\r\n:-5\r\n:99999999\r\n" + node, "backwards": "*1\r\n*3\r\n:16383\r\n:0\r\n" + node,
		"an empty node": "*1\r\n*3\r\n:0\r\n:16383\r\n*0\r\n", "a node of one part": "*1\r\n*3\r\n:0\r\n:16383\r\n*1\r\n$9\r\n127.0.0.1\r\n",
		"a node without a name": "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$-1\r\n:PORT\r\n", "a port beyond all": "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:99999999\r\n",
		"somewhere else": "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$8\r\n10.0.0.1\r\n:6379\r\n", "parts of nodes": "*1\r\n*3\r\n:0\r\n:16383\r\n*4\r\n$9\r\n127.0.0.1\r\n:PORT\r\n$1\r\nx\r\n*1\r\n+y\r\n",
		"good": "*1\r\n*3\r\n:0\r\n:16383\r\n" + node,
	} {
		for kind, get := range map[string]string{"moved": "-MOVED 1 127.0.0.1:PORT\r\n", "moved nowhere": "-MOVED\r\n", "asked": "-ASK 99999999 :\r\n"} {
			t.Run(fmt.Sprintf("%s, %s", what, kind), func(t *testing.T) {
				var port string
				at := sentinel(t, func(words []string) string {
					switch words[0] {
					case "cluster":
						return strings.ReplaceAll(slots, "PORT", port)
					case "get", "set":
						return strings.ReplaceAll(get, "PORT", port)
					}
					return "-ERR unknown command\r\n"
				})
				port = at[strings.LastIndex(at, ":")+1:]
				w := cache(t, Server{URL: "redis://" + at + "?cluster=true"})
				for w.filled(failed) < 4 {
					for _, f := range w.Find(t.Context(), "era", []portal.FactKey{anna, bob}) {
						if len(f.Facts) > 0 {
							t.Errorf("%+v", f)
						}
					}
					w.rested()
					w.keep([]portal.FactKey{anna, bob}, read)
					w.rested()
				}
			})
		}
	}
}
