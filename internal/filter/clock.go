package filter

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/lazyregexp"
)

// A Clock turns what people say of time into instants. The zero Zone is UTC.
type Clock struct {
	Now  time.Time
	Zone *time.Location
}

// A moment is an instant, or a whole day from its start to its last
// microsecond, the finest time that upstreams keep.
type moment struct {
	start, end time.Time
	spoken     bool // a day such as "today", rather than a date
}

// Time reads RFC 3339 and its kin, a time or date without offset (in c.Zone, the
// first of two where the clock is set back), seconds since 1970 or thousandths and
// millionths of them, or a relative time: now, now-7d, today, today-1w, yesterday,
// last 24h, 3 days ago; units s m h d w M y. A day is its start, or where end is
// set its last microsecond.
func (c Clock) Time(s string, end bool) (time.Time, error) {
	m, err := c.moment(s)
	if end {
		return m.end, err
	}
	return m.start, err
}

// bound reads a time as the operand of op. "today" begins for gt and gte and
// ends for lt and lte, as upstream; a date ends for lte alone, since "before
// the 20th" leaves the 20th out.
func (c Clock) bound(s string, op Op) (time.Time, error) {
	m, err := c.moment(s)
	if op == Lte || op == Lt && m.spoken {
		return m.end, err
	}
	return m.start, err
}

const span = `(\d{1,5})\s*([a-zA-Z]+)`

var (
	relative = lazyregexp.New(`^(?i:(now|today|yesterday|tomorrow))(?:\s*([+-])\s*` + span + `)?$`)
	before   = lazyregexp.New(`^-\s*` + span + `$`)
	since    = lazyregexp.New(`^(?:(?i:(?:the )?(?:last|past|previous))\s+(\d{1,5}\s*)?([a-zA-Z]+)|` + span + `\s+(?i:ago))$`)
	one      = lazyregexp.New(`^(?i:an?|one)\s+([a-zA-Z]+\s+(?i:ago))$`)
	epoch    = lazyregexp.New(`^(\d{9,19})(?:\.(\d{1,9})\d*)?$`)
	offset   = lazyregexp.New(`\s+([+-]\d{2}(?::?\d{2})?)$`)
	dates    = []string{time.DateOnly, "2006/01/02", "20060102"}
	layouts  = []string{
		time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z0700", "2006-01-02T15:04:05Z07",
		"2006-01-02T15:04Z07", "20060102T150405Z0700", time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST",
	}
	locals = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "20060102T150405"}
)

func (c Clock) moment(s string) (moment, error) {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	now := c.Now.In(c.Zone)
	s = strings.TrimSpace(s)
	if m := relative.FindStringSubmatch(s); m != nil {
		return relativeMoment(now, m)
	}
	if m := before.FindStringSubmatch(s); m != nil {
		return relativeMoment(now, []string{s, "now", "-", m[1], m[2]})
	}
	if m := since.FindStringSubmatch(one.ReplaceAllString(s, "1 $1")); m != nil {
		n := cmp.Or(strings.TrimSpace(m[1]), m[3], "1") // "last week" is the last 1 week
		if t, err := shift(now, -1, n, m[2]+m[4]); err == nil {
			return instant(t)
		}
	}
	for _, layout := range dates {
		if t, err := time.ParseInLocation(layout, s, c.Zone); err == nil {
			return day(t, false), nil
		}
	}
	if t, ok := sinceEpoch(s); ok {
		return instant(t)
	}
	if t, ok := written(s, c.Zone); ok {
		return instant(t)
	}
	return moment{}, fmt.Errorf("%q is not a time. Use %s, %s, now-7d, today or yesterday", clip(s, 60),
		now.AddDate(0, 0, -4).Format(time.DateOnly), now.AddDate(0, 0, -4).UTC().Format("2006-01-02T15:00:00Z"))
}

// sinceEpoch reads a time as a number. Seconds have up to eleven digits: what has
// three, six or nine more is in thousandths, millionths or billionths.
func sinceEpoch(s string) (time.Time, bool) {
	if strings.ContainsAny(s, "eE") { // 1.7951e9, as some encode numbers
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	m := epoch.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	switch digits := len(m[1]); {
	case digits <= 11:
		nanos, _ := strconv.ParseInt((m[2] + "000000000")[:9], 10, 64) // digits, by the expression
		return time.Unix(n, nanos), true
	case digits <= 14:
		return time.UnixMilli(n), true
	case digits <= 17:
		return time.UnixMicro(n), true
	}
	return time.Unix(0, n), true
}

// written reads a date with a time of day. A blank may stand for the T, and
// before the offset.
func written(s string, zone *time.Location) (time.Time, bool) {
	plain := s
	if !strings.Contains(s, ",") || !strings.ContainsAny(s[:1], "MTWFS") { // Mon, 2 Jan has its own blanks
		plain = strings.ReplaceAll(strings.ToUpper(offset.ReplaceAllString(s, "$1")), "/", "-")
		for _, name := range []string{" UTC", " GMT", " Z"} {
			if rest, ok := strings.CutSuffix(plain, name); ok {
				plain = rest + "Z"
			}
		}
		if day, rest, ok := strings.Cut(plain, " "); ok {
			plain = day + "T" + strings.TrimSpace(rest)
		}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, plain); err == nil {
			return t, true
		}
	}
	for _, layout := range locals {
		if t, err := time.ParseInLocation(layout, plain, zone); err == nil {
			return Earlier(t), true
		}
	}
	return time.Time{}, false
}

// Earlier is t, or the earlier time at which the clocks of its zone show the same:
// in the hour that comes twice when they are set back.
func Earlier(t time.Time) time.Time {
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return t
	}
	_, now := t.Zone()
	_, was := start.Add(-time.Nanosecond).Zone()
	if earlier := t.Add(time.Duration(now-was) * time.Second); was > now && earlier.Before(start) {
		return earlier
	}
	return t
}

func relativeMoment(now time.Time, m []string) (moment, error) {
	t := now
	if m[2] != "" {
		sign := 1
		if m[2] == "-" {
			sign = -1
		}
		var err error
		if t, err = shift(now, sign, m[3], m[4]); err != nil {
			return moment{}, err
		}
	}
	switch strings.ToLower(m[1]) {
	case "now":
		return instant(t)
	case "yesterday":
		t = t.AddDate(0, 0, -1)
	case "tomorrow":
		t = t.AddDate(0, 0, 1)
	}
	return day(t, true), nil
}

func instant(t time.Time) (moment, error) {
	if y := t.Year(); y < 1970 || y > 9999 {
		return moment{}, fmt.Errorf("%s is not within the years 1970 to 9999", t.Format(time.DateOnly))
	}
	return moment{start: t.UTC(), end: t.UTC()}, nil
}

func day(t time.Time, spoken bool) moment {
	y, m, d := t.Date()
	at := func(d int) time.Time { return Earlier(time.Date(y, m, d, 0, 0, 0, 0, t.Location())).UTC() }
	return moment{start: at(d), end: at(d + 1).Add(-time.Microsecond), spoken: spoken}
}

// shift moves t by n units; days and longer ones by the calendar, so that a day
// in a zone with summer time may last 23 hours.
func shift(t time.Time, sign int, n, unit string) (time.Time, error) {
	k, _ := strconv.Atoi(n) // at most five digits, by the expression that found them
	k *= sign
	if unit != "M" && unit != "ms" {
		unit = strings.TrimSuffix(strings.ToLower(unit), "s")
	}
	switch unit {
	case "", "sec", "second":
		return t.Add(time.Duration(k) * time.Second), nil
	case "m", "min", "minute":
		return t.Add(time.Duration(k) * time.Minute), nil
	case "h", "hr", "hour":
		return t.Add(time.Duration(k) * time.Hour), nil
	case "d", "day":
		return Earlier(t.AddDate(0, 0, k)), nil
	case "w", "week":
		return Earlier(t.AddDate(0, 0, 7*k)), nil
	case "M", "mo", "month":
		return months(t, k), nil
	case "y", "yr", "year":
		return months(t, 12*k), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a unit of time; units are s m h d w M (months) y", unit)
}

// months moves t by n months, to the last day of a month that is too short.
func months(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, t.Location()).Day()
	return Earlier(t.AddDate(0, n, min(d, last)-d))
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
