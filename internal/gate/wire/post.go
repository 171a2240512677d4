package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"doorward/internal/ijson"
	"doorward/internal/problem"
)

// Why a replica's answer is not used, besides that it did not come. For metrics and logs;
// to a gate all are the same.
var (
	// ErrRefused: the directory would not answer.
	ErrRefused = errors.New("the directory refuses")
	// ErrGarbled: what came is not the answer to what was asked.
	ErrGarbled = errors.New("not an answer to what was asked")
)

// maxProblem is how much of a refusal is read.
const maxProblem = 4 << 10

// post asks one replica and hands its answer to use, whose error is ErrGarbled.
func (c *Client) post(ctx context.Context, url, token string, body []byte, use func([]byte) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", jsonType)
	r.Header.Set("Accept", jsonType)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header["Idempotency-Key"] = []string{} // not sent: net/http asks again when an idle connection turns out to be closed
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close() // one that was not read to its end ends its connection
	if response.StatusCode != http.StatusOK {
		return refused(response)
	}
	if t := response.Header.Values("Content-Type"); len(t) != 1 || t[0] != jsonType {
		return fmt.Errorf("%w: of type %q", ErrGarbled, t)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if len(text) > maxBody {
		return fmt.Errorf("%w: longer than %d bytes", ErrGarbled, maxBody)
	}
	if err := use(text); err != nil {
		return fmt.Errorf("%w: %w", ErrGarbled, err)
	}
	return nil
}

// refused tells why, in the directory's words if it is one that answers (RFC 9457).
func refused(response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxProblem)) // half of it will do
	v, err := ijson.Parse(text)
	code, known := strings.CutPrefix(v.Get("type").Text(), problem.TypePrefix)
	if err != nil || !known {
		return fmt.Errorf("%w: status %d", ErrRefused, response.StatusCode)
	}
	return fmt.Errorf("%w: %q: %q", ErrRefused, code, v.Get("detail").Text())
}
