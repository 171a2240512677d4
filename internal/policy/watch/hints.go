package watch

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// hints are the kernel's notifications that something happened in the folder. They
// may be missing, late or too many: without any, changes are found by polling.
type hints struct {
	folder  string
	watcher *fsnotify.Watcher // nil when there are none to be had
}

func newHints(folder string, log *slog.Logger) *hints {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("no notifications of the policy folder; it is looked at once in a while", "error", err)
		return &hints{folder: folder}
	}
	return &hints{folder: folder, watcher: watcher}
}

func (h *hints) close() {
	if h.watcher != nil {
		_ = h.watcher.Close() // nothing is lost with it
	}
}

func (h *hints) events() <-chan fsnotify.Event {
	if h.watcher == nil {
		return nil
	}
	return h.watcher.Events
}

func (h *hints) errors() <-chan error {
	if h.watcher == nil {
		return nil
	}
	return h.watcher.Errors
}

// follow watches the folder and those in it, linked ones too. A watch ends with
// the folder it is on, which a ConfigMap replaces whole, so it is made again with
// every look; one that exists is left as it is. What cannot be watched is polled.
func (h *hints) follow() {
	if h.watcher == nil {
		return
	}
	_ = h.watcher.Add(h.folder)
	entries, err := os.ReadDir(h.folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		name := filepath.Join(h.folder, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue // .git; the swap of ..data is an event of the folder itself
		}
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			continue
		}
		_ = filepath.WalkDir(name+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				_ = h.watcher.Add(path)
			}
			return nil
		})
	}
}
