package shared

import (
	"fmt"
	"strings"
	"testing"

	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

// works keeps something and finds it again.
func works(t *testing.T, w *world) {
	t.Helper()
	for range 200 { // a cluster or a Sentinel may need a moment
		w.rested()
		w.keep([]portal.FactKey{anna, bob}, read)
		if w.filled(written) > 0 {
			break
		}
	}
	if _, result := w.find(anna); result != found {
		t.Errorf("%s; %s", result, w.log.String())
	}
}

// A user of an ACL that may do what is needed is enough, and its password is in a file that
// may be replaced. Nobody sees it, nor the keys.
func TestAUserOfAnACL(t *testing.T) {
	s := redistest.New(t)
	must(t, 0, raw(t, s).Do(t.Context(), "ACL", "SETUSER", "doorward", "on", ">pass-word-1", "~doorward:facts:*", "+get", "+set").Err())
	password := file(t, "pass-word-1\n")
	w := cache(t, Server{URL: "redis://doorward@" + s.Address + "/0", PasswordFile: password})
	works(t, w)
	wrong := cache(t, Server{URL: "redis://doorward@" + s.Address, PasswordFile: file(t, "pass-word-2")})
	for !wrong.finding.resting() && wrong.counts()[missing] == 0 {
		wrong.Find(t.Context(), "era", []portal.FactKey{anna})
	}
	if n := wrong.counts()[missing]; n != 0 || !strings.Contains(wrong.log.String(), "what=find") {
		t.Errorf("%v are missing where nobody looked: %s", n, wrong.log.String())
	}
	wrong.keep([]portal.FactKey{anna, bob}, read)
	text := wrong.log.String() + fmt.Sprintf("%v %+v %#v %x", secret(1), secret(1), secret(1), Keys{secret(1)})
	if wrong.filled(failed) != 2 || !strings.Contains(text, "WRONGPASS") || strings.Contains(text, "pass-word") || strings.Contains(text, "0102030405") || strings.Contains(text, "1, 2, 3") {
		t.Error(text)
	}
}

func TestSentinelsSayWhereRedisIs(t *testing.T) {
	s := redistest.New(t)
	works(t, cache(t, Server{URL: "redis://" + redistest.Sentinel(t, "main", s).Address + "/2?master=main"}))
}

// In a cluster the user has to see where the slots are, besides.
func TestACluster(t *testing.T) {
	s := redistest.New(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-announce-ip", "127.0.0.1")
	must(t, 0, raw(t, s).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err())
	for text := ""; !strings.Contains(text, "cluster_state:ok"); {
		info, err := raw(t, s).ClusterInfo(t.Context()).Result()
		text = must(t, info, err)
	}
	must(t, 0, raw(t, s).Do(t.Context(), "ACL", "SETUSER", "doorward", "on", ">pass-word", "~doorward:facts:*", "+get", "+set", "+cluster|slots").Err())
	works(t, cache(t, Server{URL: "redis://doorward@" + s.Address + "?cluster=true", PasswordFile: file(t, "pass-word")}))
}

// Settings that cannot work, or would show secrets to others, are refused, without showing
// them.
func TestServersThatAreRefused(t *testing.T) {
	for _, url := range []string{
		"", "127.0.0.1:6379", "http://127.0.0.1", "redis://", "redis://user:pass-word@127.0.0.1", "redis://redis.example", "redis://10.0.0.1:6379", "redis://localhost",
		"redis://127.0.0.1/x", "redis://127.0.0.1/-1", "redis://127.0.0.1/1?cluster=true", "redis://127.0.0.1,127.0.0.2", "redis://127.0.0.1?timeout=1",
		"redis://127.0.0.1?master=", "redis://127.0.0.1?master=a&cluster=true", "redis://127.0.0.1?cluster=false", "redis://127.0.0.1#x", "redis://pass-word:%zz@127.0.0.1",
		"redis://127.0.0.1,redis.example?cluster=true",
	} {
		if err := (Server{URL: url}).Check(); err == nil || strings.Contains(err.Error(), "pass-word") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"redis://127.0.0.1", "redis://[::1]:7000/3", "rediss://doorward@redis.example", "rediss://a:1,b:2?master=main", "rediss://a,b?cluster=true"} {
		if err := (Server{URL: url}).Check(); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, s := range []Server{
		{URL: "redis://127.0.0.1", PasswordFile: "nowhere"}, {URL: "redis://127.0.0.1", PasswordFile: file(t, "")}, {URL: "redis://127.0.0.1", PasswordFile: file(t, "a\nb")},
		{URL: "redis://127.0.0.1", SentinelPasswordFile: "nowhere"}, {URL: "rediss://127.0.0.1", CAFile: "nowhere"}, {URL: "rediss://127.0.0.1", CAFile: file(t, "x")},
	} {
		if _, err := New(Config{Server: s}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}
