package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"call-logs-mcp/internal/call"
)

// The limits of what is read into memory, uncompressed.
const (
	maxBytes = 2 << 30  // of all files together
	maxLine  = 64 << 20 // of one call
)

// A reader gathers the logs of files, one after the other.
type reader struct {
	name  string
	left  int64
	logs  []*call.Log
	where map[string]string // by key, the file:line of the record
}

func (r *reader) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err // names the file
	}
	defer f.Close()
	in, err := unzip(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		if r.left -= int64(len(lines.Bytes())) + 1; r.left < 0 {
			return fmt.Errorf("%s:%d: more than %d GiB of call logs; name fewer files", path, n, maxBytes>>30)
		}
		if err := r.line(lines.Bytes(), fmt.Sprintf("%s:%d", path, n)); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s:%d: a line of more than %d MiB", path, n, maxLine>>20)
	} else if err != nil {
		return fmt.Errorf("%s:%d: %w", path, n, err)
	}
	return nil
}

// unzip knows gzip by its first bytes, since exports are not always named so.
func unzip(in *bufio.Reader) (io.Reader, error) {
	if magic, _ := in.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return in, nil
	}
	return gzip.NewReader(in)
}

func (r *reader) line(data []byte, at string) error {
	if data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff"))); len(data) == 0 {
		return nil
	}
	var rec record
	if err := decode(data, &rec); err != nil {
		return plainly(err)
	}
	l, err := rec.log(r.name)
	if err != nil {
		return err
	}
	if first, ok := r.where[l.ID.Key]; ok {
		return fmt.Errorf("conversation_id %q is also that of %s", l.ID.Key, first)
	}
	r.where[l.ID.Key] = at
	r.logs = append(r.logs, l)
	return nil
}

// decode reads data, all of it. Numbers of free shape keep all their digits.
func decode(data []byte, rec *record) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(rec); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is more behind the call")
	}
	rec.Labels, rec.Metadata = exactMap(rec.Labels), exactMap(rec.Metadata)
	return nil
}

func exactMap(m map[string]any) map[string]any {
	for k, v := range m {
		m[k] = exact(v)
	}
	return m
}

// exact leaves a number as it is written where a float64 would lose digits of it.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		if again, _ := json.Marshal(n); err != nil || len(v) > 15 && string(again) != v.String() {
			return v
		}
		return n
	case map[string]any:
		return exactMap(v)
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	}
	return v
}

// plainly says what is wrong with JSON without the names of Go's types.
func plainly(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		if kind.Field == "" {
			return fmt.Errorf("a call is a JSON object, found: %s", kind.Value)
		}
		return fmt.Errorf("%s: unexpected %s", kind.Field, kind.Value)
	}
	return fmt.Errorf("not JSON: %w", err)
}
