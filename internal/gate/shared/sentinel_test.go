package shared

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"doorward/internal/portal"
)

// sentinel listens where a Sentinel should be, and answers each command by its words.
func sentinel(t *testing.T, answer func(words []string) string) string {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, 0, err)
	var work sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); l.Close(); work.Wait() })
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				defer conn.Close()
				for r := bufio.NewReader(conn); ; {
					words, err := command(r)
					if err != nil {
						return
					}
					_, _ = io.WriteString(conn, answer(words))
				}
			})
		}
	})
	return l.Addr().String()
}

// command reads the words of a command.
func command(r *bufio.Reader) (words []string, err error) {
	line, err := r.ReadString('\n')
	for n := len(line) - 2; n == 2 && line[1] > '0' && err == nil; line = line[:1] + string(line[1]-1) + "\r\n" {
		if _, err = r.ReadString('\n'); err != nil {
			break
		}
		word, wrong := r.ReadString('\n')
		words, err = append(words, strings.ToLower(strings.TrimSpace(word))), wrong
	}
	return words, err
}

// A Sentinel that says what none says finds no Redis, and nothing falls over (S29).
func TestASentinelThatIsNone(t *testing.T) {
	for what, answers := range map[string]map[string]string{
		"half an address": {"get-master-addr-by-name": "*1\r\n$1\r\na\r\n"},
		"no address":      {"get-master-addr-by-name": "*0\r\n"},
		"nobody":          {"get-master-addr-by-name": "*-1\r\n"},
		"half a switch": {
			"get-master-addr-by-name": "*2\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n", "sentinels": "*0\r\n",
			"+switch-master": "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$4\r\nmain\r\n",
		},
	} {
		t.Run(what, func(t *testing.T) {
			at := sentinel(t, func(words []string) string {
				for _, word := range words {
					if text, is := answers[word]; is {
						return text
					}
				}
				return "-ERR unknown command\r\n"
			})
			w := cache(t, Server{URL: "redis://" + at + "?master=main"})
			for w.filled(failed) < 6 {
				if all := w.Find(t.Context(), "era", []portal.FactKey{anna}); all != nil {
					t.Errorf("%+v", all)
				}
				w.rested()
				w.keep([]portal.FactKey{anna, bob}, read)
				w.rested()
			}
		})
	}
}
