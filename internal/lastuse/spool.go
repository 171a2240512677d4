package lastuse

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A Spool keeps uses on a gate's disk until the directory has them (R16).
type Spool struct{ Disk gate.Spool }

// Add puts uses on disk, all or none. gate.ErrSpoolFull: there is no room.
func (s Spool) Add(_ context.Context, uses []portal.Use) error {
	texts := make([][]byte, len(uses))
	for i, u := range uses {
		texts[i] = appendUse(nil, u)
	}
	return s.Disk.Add(texts...)
}

// Send has sent what is on disk, the oldest first, and forgets what send took.
func (s Spool) Send(ctx context.Context, send func(context.Context, []portal.Use) error) error {
	for records := s.Disk.Oldest(Batch); len(records) > 0; records = s.Disk.Oldest(Batch) {
		uses := make([]portal.Use, 0, len(records))
		for _, r := range records {
			if u, err := parseUse(r.Data); err == nil { // else nobody could ever take it
				uses = append(uses, u)
			}
		}
		if err := send(ctx, uses); err != nil {
			return err
		}
		if err := s.Disk.Stored(records[len(records)-1].Seq); err != nil {
			return err
		}
	}
	return nil
}

// A use on disk is its day in decimal, its account and its user. Between them are zero bytes,
// which no name has.
const between = "\x00"

func appendUse(dst []byte, u portal.Use) []byte {
	dst = strconv.AppendInt(dst, int64(u.Day), 10)
	dst = append(dst, between+string(u.Account)+between...)
	return append(dst, u.User...)
}

var errNoUse = errors.New("not a use")

func parseUse(text []byte) (portal.Use, error) {
	parts := strings.Split(string(text), between)
	if len(parts) != 3 || !portal.ValidName(parts[1]) || !portal.ValidName(parts[2]) {
		return portal.Use{}, errNoUse
	}
	day, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || day < 1 {
		return portal.Use{}, errNoUse
	}
	return portal.Use{Account: portal.AccountID(parts[1]), User: portal.UserID(parts[2]), Day: portal.Day(day)}, nil
}
