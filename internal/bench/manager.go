package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A manager removes members, each once, as a portal would.
type manager struct {
	url   string
	token string
	there []member
}

func (f *fleet) manager(there []member) (*manager, error) {
	text, err := os.ReadFile(filepath.Join(f.folder, manageToken))
	return &manager{url: "http://" + f.directory.address, token: string(text), there: there}, err
}

// next is a member who was not removed yet.
func (m *manager) next() (who member, err error) {
	if len(m.there) == 0 {
		return who, errors.New("every member was removed who could be: choose more -members")
	}
	who, m.there = m.there[0], m.there[1:]
	return who, nil
}

// errPending tells that a removal was not enforced in the time that a call waits.
var errPending = errors.New("the removal is pending")

// remove removes a member and returns after how long it says that this is enforced.
func (m *manager) remove(ctx context.Context, who member) (time.Duration, error) {
	url := fmt.Sprintf("%s/v1/accounts/%s/memberships/%s", m.url, who.account, who.user)
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(`{"state":"removed"}`))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+m.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Detail   string
		Enforced *struct {
			Milliseconds int64 `json:"milliseconds"`
			WaitedFor    int   `json:"waited_for"`
		}
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	switch {
	case err != nil:
		return 0, fmt.Errorf("answered %s: %w", response.Status, err)
	case response.StatusCode == http.StatusAccepted:
		return 0, errPending
	case response.StatusCode != http.StatusOK || answer.Enforced == nil:
		return 0, fmt.Errorf("answered %s: %s", response.Status, answer.Detail)
	}
	return time.Duration(answer.Enforced.Milliseconds) * time.Millisecond, nil
}

// settle removes members until a removal is enforced: a new database waits for gates
// that it may not know of.
func (m *manager) settle(ctx context.Context) error {
	for {
		who, err := m.next()
		if err != nil {
			return err
		}
		if _, err = m.remove(ctx, who); !errors.Is(err, errPending) {
			return err
		}
	}
}
