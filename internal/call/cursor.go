package call

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"call-logs-mcp/internal/filter"
)

// A Cursor is where a walk through the answers to a Query stands. It holds the
// whole question, its window made absolute, so that it alone is enough to go on
// and the answer does not move with the clock.
type Cursor struct {
	Tool   string // whose walk it is
	Query  Query  // with After; Where without the bounds of Window
	Window Window
	Total  *int // what the first page counted

	Held  string    // the hash of Query.Where, where that is too long to be in a cursor
	At    time.Time // when it was asked, by which its relative times were resolved, to the millisecond
	Asked Window    // the window that was asked for; bounds of Window's are zero here once it is unpacked
}

// cursorPrefix names the format, so that a later one can be told from it.
const cursorPrefix = "c1."

// cursorWords are what cursors often hold; the compressor refers to them.
const cursorWords = `{"c":"list_call_logs","q":"{"c":"search_transcripts","r":"agent","r":"caller","o":"oldest","o":"longest","o":"shortest","o":"newest","x":true` +
	`"field":"metadata."op":"contains"op":"isnull","value":true"field":"metric_evaluations.metric.name"field":"metric_evaluations.value"field":"topic","field":"agent.id","field":"call_ended_reason","field":"duration","op":"gte","value":"operator":"same_row"` +
	`"w":{"operator":"or","conditions":[{"operator":"and","conditions":[{"field":"source","op":"eq","value":"cekura"},{"field":"success","op":"eq","value":false}]},"l":20,"n":1,"f":17,"t":17,"v":-17,"s":"telzino","s":"zudu","s":"demo","s":"cekura","k":"`

// cursorTail ends what the compressor writes, and is left out of the cursor.
const cursorTail = "\x00\x00\xff\xff"

// packers are kept, since a new one costs 800 KB for 100 bytes of cursor.
var packers = sync.Pool{New: func() any {
	z, _ := flate.NewWriterDict(io.Discard, flate.BestCompression, []byte(cursorWords)) // fails on a wrong level alone
	return z
}}

// cursorJSON is a Cursor on the wire. Times are milliseconds, and To is rounded
// up, lest a call in the last part of one is lost.
type cursorJSON struct {
	Tool   string          `json:"c"`
	Where  json.RawMessage `json:"w,omitempty"`
	Text   string          `json:"q,omitempty"`
	Like   string          `json:"m,omitempty"`
	Role   Role            `json:"r,omitempty"`
	Order  Order           `json:"o,omitempty"`
	Limit  int             `json:"l,omitempty"`
	Full   bool            `json:"x,omitempty"`
	Total  *int            `json:"n,omitempty"`
	From   int64           `json:"f,omitempty"`
	To     int64           `json:"t,omitempty"`
	Value  int64           `json:"v"`
	Source string          `json:"s"`
	Key    string          `json:"k"`
	Open   bool            `json:"p,omitempty"`
	At     *int64          `json:"a,omitempty"` // before To, or after the epoch where there is none
	Lower  int64           `json:"g,omitempty"` // of Asked, where it is not that of the window
	Upper  int64           `json:"h,omitempty"`
	Held   string          `json:"i,omitempty"`
}

// String writes the cursor: some 60 to 120 characters without meaning to its
// reader, checked against damage.
func (c Cursor) String() string { return CursorText(c.Packed()) }

// CursorText is the Cursor.String of what Cursor.Packed made.
func CursorText(packed string) string {
	return cursorPrefix + base64.RawURLEncoding.EncodeToString([]byte(packed))
}

// Packed is the cursor as the bytes that String writes, for who writes them in
// another way: a quarter less.
func (c Cursor) Packed() string {
	q := c.Query
	w := cursorJSON{
		Tool: c.Tool, Role: q.Role, Order: q.Order, Limit: q.Limit, Full: q.Exhaust, Total: c.Total, Held: c.Held,
		From: millis(c.Window.From, 0), To: millis(c.Window.To, time.Millisecond-1),
	}
	if !c.At.IsZero() {
		w.At = new(w.To - c.At.UnixMilli())
	}
	if lower := millis(c.Asked.From, 0); lower != w.From {
		w.Lower = lower
	}
	if upper := millis(c.Asked.To, time.Millisecond-1); upper != w.To {
		w.Upper = upper
	}
	if q.Where != nil {
		w.Where = json.RawMessage(q.Where.String())
	}
	if q.Text != nil {
		w.Text = q.Text.String()
	}
	if q.Similar != nil {
		w.Like = q.Similar.String()
	}
	if q.After != nil {
		w.Value, w.Source, w.Key, w.Open = q.After.Value, q.After.ID.Source, q.After.ID.Key, q.After.Open
	}
	plain, err := json.Marshal(w)
	if err != nil {
		panic("call: a cursor of values that JSON cannot hold: " + err.Error())
	}
	var b bytes.Buffer
	z := packers.Get().(*flate.Writer)
	z.Reset(&b)
	z.Write(plain) // to memory, which does not fail
	z.Close()
	packers.Put(z)
	packed := bytes.TrimSuffix(b.Bytes(), []byte(cursorTail))
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(packed))
	return string(append(sum, packed...))
}

func millis(t time.Time, up time.Duration) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(up).UnixMilli()
}

// ParseCursor reads what Cursor.String wrote for the same tool. sources are the
// names that this server has.
func ParseCursor(s, tool string, sources []string) (Cursor, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), cursorPrefix)
	data, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if !ok || err != nil {
		data = nil // which is no cursor
	}
	return UnpackCursor(string(data), tool, sources)
}

// UnpackCursor reads what Cursor.Packed made for the same tool.
func UnpackCursor(packed, tool string, sources []string) (Cursor, error) {
	w, ok := unpack([]byte(packed))
	if !ok || w.Tool != tool || w.Source != "" && !slices.Contains(sources, w.Source) {
		return Cursor{}, &Error{Kind: Invalid, Msg: "That cursor is damaged, or not one of " + tool + " on this server.", Hint: "Call again without cursor."}
	}
	c := Cursor{Tool: tool, Total: w.Total, Held: w.Held, Query: Query{Role: w.Role, Order: w.Order, Limit: w.Limit, Exhaust: w.Full}}
	var err error
	if c.Query.Where, err = filter.Parse(w.Where, Fields(), filter.Clock{}); err != nil {
		return Cursor{}, &Error{Kind: Invalid, Msg: "That cursor holds a filter this version does not know.", Hint: "Call again without cursor.", Err: err}
	}
	if w.Text != "" {
		if c.Query.Text, err = ParseText(w.Text); err != nil {
			return Cursor{}, &Error{Kind: Invalid, Msg: "That cursor holds a query this version does not know.", Hint: "Call again without cursor.", Err: err}
		}
	}
	if w.Like != "" {
		id, err := ParseID(w.Like, sources)
		if err != nil {
			return Cursor{}, err
		}
		c.Query.Similar = &id
	}
	if w.Source != "" {
		c.Query.After = &Mark{Value: w.Value, ID: ID{w.Source, w.Key}, Open: w.Open}
	}
	if w.From != 0 {
		c.Window.From = time.UnixMilli(w.From).UTC()
	}
	if w.To != 0 {
		c.Window.To = time.UnixMilli(w.To).UTC()
	}
	if w.At != nil {
		c.At = time.UnixMilli(w.To - *w.At).UTC()
	}
	if w.Lower != 0 {
		c.Asked.From = time.UnixMilli(w.Lower).UTC()
	}
	if w.Upper != 0 {
		c.Asked.To = time.UnixMilli(w.Upper).UTC()
	}
	return c, nil
}

func unpack(data []byte) (w cursorJSON, ok bool) {
	if len(data) < 5 {
		return w, false
	}
	// The sum is of the packed bytes: some of their bits unpack to nothing.
	if crc32.ChecksumIEEE(data[4:]) != binary.BigEndian.Uint32(data) {
		return w, false
	}
	z := flate.NewReaderDict(strings.NewReader(string(data[4:])+cursorTail), []byte(cursorWords))
	plain, err := io.ReadAll(io.LimitReader(z, 128<<10))
	if err != nil {
		return w, false
	}
	return w, json.Unmarshal(plain, &w) == nil
}

// Resume is the query that goes on from c.
func (c Cursor) Resume() Query {
	q := c.Query
	q.Where = filter.All(filter.Within("timestamp", c.Window.From, c.Window.To), q.Where)
	return q
}
