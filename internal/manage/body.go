package manage

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"doorward/internal/ijson"
	"doorward/internal/problem"
)

// maxBody is the largest body read, in bytes.
const maxBody = 64 << 10

// readBody reads the request's whole body as one JSON object.
func readBody(w http.ResponseWriter, r *http.Request) (ijson.Value, error) {
	if !isJSON(r.Header["Content-Type"]) {
		return ijson.Value{}, &problem.Error{Code: problem.WrongContentType}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return ijson.Value{}, err
	}
	if err != nil {
		return ijson.Value{}, &problem.Error{Code: problem.UnreadableBody, Err: err}
	}
	return ijson.Parse(body)
}

// isJSON tells whether a request says, exactly once, that its body is JSON.
func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	t, _, err := mime.ParseMediaType(contentType[0])
	return err == nil && t == "application/json"
}
