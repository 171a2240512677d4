package server

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"doorward/internal/config"
)

func TestSocketHasTheModeItWasGiven(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o660, 0o666} {
		path := filepath.Join(t.TempDir(), "s")
		l, err := listenUnix(t.Context(), path, mode)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode(); got != fs.ModeSocket|mode {
			t.Errorf("mode %v, want %v", got, fs.ModeSocket|mode)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is still there after Close: %v", err)
		}
	}
}

// leaveStaleSocket leaves what kill -9 leaves.
func leaveStaleSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	leaveStaleSocket(t, path)
	l, err := listenUnix(t.Context(), path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestLiveSocketIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	live, err := listenUnix(t.Context(), path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	_, err = listenUnix(t.Context(), path, 0o660)
	if !errors.Is(err, errInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want errInUse naming %s", err, path)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the live socket no longer answers: %v", err)
	}
	conn.Close()
}

func TestWhatIsNoSocketIsNeverRemoved(t *testing.T) {
	folder := t.TempDir()
	file, link, inner := filepath.Join(folder, "file"), filepath.Join(folder, "link"), filepath.Join(folder, "inner")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link, inner} {
		if _, err := listenUnix(t.Context(), path, 0o660); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Errorf("%s: error %v", path, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != "precious" {
		t.Errorf("file now holds %q", got)
	}
}

func TestClosingLeavesAnothersSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	mine, err := listenUnix(t.Context(), path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".mine"); err != nil {
		t.Fatal(err)
	}
	others, err := listenUnix(t.Context(), path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	defer others.Close()
	if err := mine.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the other's socket is gone: %v", err)
	}
}

func TestListenFailsWholeOrNotAtAll(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := config.Default()
	c.Listen.Address = taken.Addr().String()
	if _, err := listen(t.Context(), c); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), c.Listen.Address) {
		t.Errorf("error %v, want the address in use", err)
	}

	c.Listen.Address = "127.0.0.1:0"
	c.Listen.Socket = filepath.Join(t.TempDir(), "no", "such", "folder", "s")
	if all, err := listen(t.Context(), c); !errors.Is(err, fs.ErrNotExist) || len(all) != 0 {
		t.Errorf("%d listeners and error %v", len(all), err)
	}
}

// A name may resolve to a loopback address while the configuration is checked
// and to another afterwards.
func TestAddressIsJudgedAgainWhenBound(t *testing.T) {
	c := config.Default()
	c.Listen.Address = "0.0.0.0:0"
	if _, err := listen(t.Context(), c); err == nil || !strings.Contains(err.Error(), "other machines can reach") {
		t.Errorf("error %v", err)
	}
}

func TestCertificateThatCannotBeReadIsRefused(t *testing.T) {
	c := config.Default()
	c.Listen.Address = "127.0.0.1:0"
	c.TLS = config.TLS{CertFile: "absent.pem", KeyFile: "absent.key"}
	if _, err := listen(t.Context(), c); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "tls.cert_file") {
		t.Errorf("error %v", err)
	}
}
