package authzen

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"sync"

	"doorward/internal/ijson"
	"doorward/internal/problem"
)

// maxBody is the largest body read, in bytes.
const maxBody = 64 << 10

// jsonType is the media type of requests and answers.
const jsonType = "application/json"

// isJSON tells whether a request says, exactly once, that its body is JSON.
// Parameters mean nothing: JSON is UTF-8 (RFC 8259, sections 8.1 and 11).
func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	if contentType[0] == jsonType {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType[0])
	return err == nil && t == jsonType
}

// buffers holds bytes for bodies and answers. A buffer has at most maxBody
// bytes when it is put back.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 2<<10)) }}

// readBody reads the request's whole body as one JSON object.
func readBody(w http.ResponseWriter, r *http.Request) (ijson.Value, error) {
	buffer := buffers.Get().(*[]byte)
	defer release(buffer)
	body, err := appendAll((*buffer)[:0], bounded(w, r))
	*buffer = body
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return ijson.Value{}, err
	}
	if err != nil {
		return ijson.Value{}, &problem.Error{Code: problem.UnreadableBody, Err: err}
	}
	return ijson.Parse(body)
}

// bounded is the request's body, of which no more than maxBody can be read. A body
// whose length was told needs no counting: net/http ends it there.
func bounded(w http.ResponseWriter, r *http.Request) io.Reader {
	if 0 <= r.ContentLength && r.ContentLength <= maxBody {
		return r.Body
	}
	return http.MaxBytesReader(w, r.Body, maxBody)
}

func release(buffer *[]byte) {
	if cap(*buffer) <= maxBody {
		buffers.Put(buffer)
	}
}

// appendAll appends what r has, to its end: a connection whose body was not read
// to its end is not used again.
func appendAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}
