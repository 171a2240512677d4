package bundle

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadFile reads a bundle's file, up to a byte more than MaxSize, which Open refuses,
// however large it is or grows.
func ReadFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	return data, nil
}
