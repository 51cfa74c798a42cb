package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// A record is a call.Log as bytes: numbered fields, so that a later version can
// add some and still read what an older one wrote. Fields without a value are
// left out; strings stand as they are, for the compressor. Times keep their
// instant, to the nanosecond, and come back in UTC.
//
// The same Log always gives the same bytes, so that their hash tells whether it
// changed.

// writer appends values; reader takes them off again and remembers the first
// thing that was wrong.
type writer struct{ b []byte }

type reader struct {
	b   []byte
	err error
}

var errRecord = errors.New("store: a record is damaged")

func (w *writer) uint(n uint64)  { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) int(n int64)    { w.b = binary.AppendVarint(w.b, n) }
func (w *writer) text(s string)  { w.uint(uint64(len(s))); w.b = append(w.b, s...) }
func (w *writer) num(f float64)  { w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(f)) }
func (w *writer) bytes(b []byte) { w.uint(uint64(len(b))); w.b = append(w.b, b...) }

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

// span writes whole milliseconds, which most are, in few bytes.
func (w *writer) span(d time.Duration) {
	if d%time.Millisecond == 0 {
		w.int(int64(d/time.Millisecond) << 1)
	} else {
		w.int(1)
		w.int(int64(d))
	}
}

func (w *writer) time(t time.Time) {
	w.int(t.Unix())
	w.uint(uint64(t.Nanosecond()))
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errRecord
	}
	r.b = nil
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) num() float64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	return f
}

func (r *reader) bool() bool {
	if len(r.b) < 1 {
		r.fail()
		return false
	}
	v := r.b[0] == 1
	r.b = r.b[1:]
	return v
}

func (r *reader) span() time.Duration {
	n := r.int()
	if n&1 == 0 {
		return time.Duration(n>>1) * time.Millisecond
	}
	return time.Duration(r.int())
}

func (r *reader) time() time.Time {
	sec := r.int()
	return time.Unix(sec, int64(r.uint())).UTC()
}

// count reads how many elements follow, each at least one byte long.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

// The kinds of a JSON value.
const (
	jsonNull = iota
	jsonFalse
	jsonTrue
	jsonNumber
	jsonText
	jsonList
	jsonObject
	jsonDigits // a json.Number
	jsonOther  // whatever else encodes as JSON, which it comes back as
	jsonNoList // a nil list
	jsonNoObject
)

func (w *writer) any(v any) error {
	switch v := v.(type) {
	case nil:
		w.b = append(w.b, jsonNull)
	case bool:
		w.b = append(w.b, jsonFalse)
		if v {
			w.b[len(w.b)-1] = jsonTrue
		}
	case float64:
		w.b = append(w.b, jsonNumber)
		w.num(v)
	case string:
		w.b = append(w.b, jsonText)
		w.text(v)
	case json.Number:
		w.b = append(w.b, jsonDigits)
		w.text(string(v))
	case []any:
		if v == nil {
			w.b = append(w.b, jsonNoList)
			return nil
		}
		w.b = append(w.b, jsonList)
		w.uint(uint64(len(v)))
		for _, x := range v {
			if err := w.any(x); err != nil {
				return err
			}
		}
	case map[string]any:
		if v == nil {
			w.b = append(w.b, jsonNoObject)
			return nil
		}
		w.b = append(w.b, jsonObject)
		return w.object(v)
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("store: a value of metadata: %w", err)
		}
		w.b = append(w.b, jsonOther)
		w.bytes(b)
	}
	return nil
}

func (w *writer) object(m map[string]any) error {
	w.uint(uint64(len(m)))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.text(k)
		if err := w.any(m[k]); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) any(depth int) any {
	if len(r.b) == 0 || depth > maxJSONDepth {
		r.fail()
		return nil
	}
	kind := r.b[0]
	r.b = r.b[1:]
	switch kind {
	case jsonNull:
		return nil
	case jsonFalse, jsonTrue:
		return kind == jsonTrue
	case jsonNumber:
		return r.num()
	case jsonText:
		return r.text()
	case jsonDigits:
		return json.Number(r.text())
	case jsonList:
		out := make([]any, r.count())
		for i := range out {
			out[i] = r.any(depth + 1)
		}
		return out
	case jsonObject:
		return r.object(depth + 1)
	case jsonNoList:
		return []any(nil)
	case jsonNoObject:
		return map[string]any(nil)
	case jsonOther:
		var v any
		if json.Unmarshal(r.bytes(), &v) != nil {
			r.fail()
		}
		return v
	}
	r.fail()
	return nil
}

// maxJSONDepth is far above what any upstream sends; it bounds what a damaged
// record can do.
const maxJSONDepth = 1000

func (r *reader) object(depth int) map[string]any {
	n := r.count()
	out := make(map[string]any, n)
	for range n {
		k := r.text()
		out[k] = r.any(depth)
	}
	return out
}

// decodeRecord reads what encodeRecord wrote.
func decodeRecord(b []byte) (*call.Log, error) {
	l := &call.Log{}
	r := &reader{b: b}
	for len(r.b) > 0 && r.err == nil {
		n := r.uint()
		if n >= uint64(len(layout)) || layout[n].read == nil {
			return nil, errRecord
		}
		layout[n].read(r, l)
	}
	return l, r.err
}

// encodeRecord appends l to b.
func encodeRecord(b []byte, l *call.Log) ([]byte, error) {
	w := &writer{b}
	for n, f := range layout {
		if f.write == nil || !f.has(l) {
			continue
		}
		w.uint(uint64(n))
		if err := f.write(w, l); err != nil {
			return nil, err
		}
	}
	return w.b, nil
}
