// Package loose reads what upstreams and files hold as it is: values of odd
// types, and transcripts of many shapes. What makes no sense is missing, and
// never fails its record.
package loose

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/lazyregexp"
)

// Unmarshal decodes b, and leaves zero what is of another type than v has for it.
func Unmarshal(b []byte, v any) error {
	var odd *json.UnmarshalTypeError
	if err := json.Unmarshal(b, v); err != nil && !errors.As(err, &odd) {
		return err
	}
	return nil
}

// Count is n as a number of rows, nil where it makes none.
func Count(n Number) *int {
	if n.V == nil || *n.V < 0 || *n.V > 1e9 {
		return nil
	}
	i := int(*n.V)
	return &i
}

// The types below decode whatever stands in their place and never fail: a
// value that makes no sense is a missing one, so that one odd field costs
// neither its record nor its page.

// A Text is a string; numbers and booleans are their JSON text.
type Text string

func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == 'n' || b[0] == '{' || b[0] == '[':
		*t = ""
	case b[0] == '"':
		*t = Text(unquote(b))
	default:
		*t = Text(b)
	}
	return nil
}

// Texts is a list of strings, or one.
type Texts []string

func (t *Texts) UnmarshalJSON(b []byte) error {
	*t = nil
	var items []Text
	if len(b) > 0 && b[0] == '[' {
		_ = json.Unmarshal(b, &items)
	} else {
		items = make([]Text, 1)
		_ = items[0].UnmarshalJSON(b)
	}
	for _, s := range items {
		if strings.TrimSpace(string(s)) != "" {
			*t = append(*t, string(s))
		}
	}
	return nil
}

// A Number may be written as a string.
type Number struct{ V *float64 }

func (n *Number) UnmarshalJSON(b []byte) error {
	n.V = nil
	f, err := strconv.ParseFloat(strings.TrimSpace(string(bytes.Trim(b, `"`))), 64)
	if err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		n.V = &f
	}
	return nil
}

// A Truth is true, false, "true", "false", 1 or 0.
type Truth struct{ V *bool }

func (t *Truth) UnmarshalJSON(b []byte) error {
	t.V = nil
	switch strings.ToLower(string(bytes.Trim(b, `"`))) {
	case "true", "1":
		v := true
		t.V = &v
	case "false", "0":
		v := false
		t.V = &v
	}
	return nil
}

// A Moment is a date-time in one of the usual spellings, or an epoch in seconds,
// milliseconds, microseconds or nanoseconds. Without an offset it is UTC.
type Moment struct{ time.Time }

func (m *Moment) UnmarshalJSON(b []byte) error {
	m.Time = time.Time{}
	s := strings.TrimSpace(string(bytes.Trim(b, `"`)))
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if f > 1e8 && f < 4.2e18 {
			m.Time = epoch(f)
		}
		return nil
	}
	m.Time, _ = Instant(s)
	return nil
}

// Instant reads a date-time: of ISO 8601 with an offset in any of its forms, of a
// mail's header, or as databases and programs print them.
func Instant(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	// The name of a zone tells no offset; these do.
	if head, zone, ok := cutLast(s, " "); ok && (zone == "UTC" || zone == "GMT" || zone == "Z") {
		return Instant(head)
	}
	return time.Time{}, false
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i > 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999 Z0700", "2006-01-02 15:04:05.999999999 Z07:00", "2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999 Z07:00", "2006-01-02T15:04:05.999999999 Z0700",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04", "2006-01-02 15:04", "20060102T150405Z0700", "20060102T150405",
	"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 -0700 (MST)", "Mon, 2 Jan 2006 15:04 -0700", "Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05",
	"Monday, 02-Jan-06 15:04:05 -0700", "Monday, 02-Jan-06 15:04:05", "Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 -0700 2006", "Mon Jan _2 2006 15:04:05 GMT-0700",
	"2006/01/02 15:04:05.999999999", "2006/01/02 15:04:05", "2006-01-02 15:04:05.999999999 -0700 MST", "Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM", time.DateOnly,
}

// epoch is the time of a number that counts from 1970, in the unit that its size
// tells.
func epoch(f float64) time.Time {
	for f >= 1e11 {
		f /= 1000
	}
	return time.UnixMicro(int64(math.Round(f * 1e6))).UTC()
}

// A Length is a duration: "MM:SS", "HH:MM:SS", or a number of seconds.
type Length struct{ V *time.Duration }

func (l *Length) UnmarshalJSON(b []byte) error {
	l.V = nil
	s := string(bytes.Trim(b, `"`))
	if d, ok := Clock(s); ok {
		l.V = &d
	} else if d, ok := spelled(s); ok {
		l.V = &d
	}
	return nil
}

// inUnits is a length as people and ISO 8601 write it: 1m 5s, 65 seconds, PT1M5S.
var inUnits = lazyregexp.New(`(?i)^(?:PT)?(?:(\d+(?:\.\d+)?)\s*h(?:(?:ou)?rs?)?)?[\s,]*(?:(\d+(?:\.\d+)?)\s*m(?:in(?:ute)?s?)?)?[\s,]*(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?)?[\s,]*(?:(\d+(?:\.\d+)?)\s*m(?:illi)?s(?:ec(?:ond)?s?)?)?$`)

// spelled reads a length with its units.
func spelled(s string) (d time.Duration, ok bool) {
	m := inUnits.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || !strings.ContainsAny(s, "0123456789") {
		return 0, false
	}
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second, time.Millisecond} {
		if n, err := strconv.ParseFloat(m[i+1], 64); err == nil && n < 1e7 {
			d += time.Duration(math.Round(n * float64(unit)))
		}
	}
	return d, true
}

// Clock reads "MM:SS", "HH:MM:SS" or seconds, with decimals or without.
func Clock(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	parts := strings.Split(s, ":")
	if s == "" || len(parts) > 3 {
		return 0, false
	}
	var sum float64
	for _, part := range parts {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil || !(f >= 0) || f > 1e7 {
			return 0, false
		}
		sum = sum*60 + f
	}
	return time.Duration(math.Round(sum*1e6)) * time.Microsecond, true
}

// An Object may be JSON within a string. Numbers keep their digits.
type Object map[string]any

func (o *Object) UnmarshalJSON(b []byte) error {
	*o = nil
	decoder := json.NewDecoder(bytes.NewReader(Unwrap(b)))
	decoder.UseNumber()
	var m map[string]any
	if decoder.Decode(&m) == nil {
		*o = m
	}
	return nil
}

// Unwrap returns the JSON that a JSON string holds, or b itself.
func Unwrap(b []byte) []byte {
	if len(b) == 0 || b[0] != '"' {
		return b
	}
	return []byte(strings.TrimSpace(unquote(b)))
}

// unquote reads a JSON string, most of which hold no escape: these need no
// decoder. Where characters are written as numbers, readers differ in halves of
// surrogate pairs: these are encoding/json's.
func unquote(b []byte) string {
	if len(b) >= 2 && utf8.Valid(b) {
		switch {
		case bytes.IndexByte(b, '\\') < 0:
			return string(b[1 : len(b)-1])
		case !bytes.Contains(b, []byte(`\u`)) && gjson.ValidBytes(b):
			return gjson.ParseBytes(b).String()
		}
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return ""
	}
	return s
}

// Offset is a time in seconds since the call began, or an epoch, as the former.
func Offset(n Number, start time.Time) *time.Duration {
	switch {
	case n.V == nil || *n.V < 0:
		return nil
	case *n.V > 1e8 && start.IsZero():
		return nil
	case *n.V > 1e8:
		d := max(epoch(*n.V).Sub(start), 0)
		return &d
	}
	d := time.Duration(*n.V*1000+0.5) * time.Millisecond
	return &d
}
