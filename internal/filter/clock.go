package filter

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
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

// Time reads RFC 3339, a time or date without offset (in c.Zone), or a relative
// time: now, now-7d, today, today-1w, yesterday, last 24h, 3 days ago; units
// s m h d w M y. A day is its start, or where end is set its last microsecond.
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
	relative = regexp.MustCompile(`^(now|today|yesterday|tomorrow)(?:\s*([+-])\s*` + span + `)?$`)
	since    = regexp.MustCompile(`^(?:(?:the )?(?:last|past)\s+(\d{1,5}\s*)?([a-zA-Z]+)|` + span + `\s+ago)$`)
	layouts  = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00"}
	locals   = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}
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
	if m := since.FindStringSubmatch(s); m != nil {
		n := cmp.Or(strings.TrimSpace(m[1]), m[3], "1") // "last week" is the last 1 week
		if t, err := shift(now, -1, n, m[2]+m[4]); err == nil {
			return instant(t)
		}
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, c.Zone); err == nil {
		return day(t, false), nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return instant(t)
		}
	}
	for _, layout := range locals {
		if t, err := time.ParseInLocation(layout, s, c.Zone); err == nil {
			return instant(t)
		}
	}
	return moment{}, fmt.Errorf("%q is not a time. Use %s, %s, now-7d, today or yesterday", clip(s, 60),
		now.AddDate(0, 0, -4).Format(time.DateOnly), now.AddDate(0, 0, -4).UTC().Format("2006-01-02T15:00:00Z"))
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
	switch m[1] {
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
	at := func(d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, t.Location()).UTC() }
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
		return t.AddDate(0, 0, k), nil
	case "w", "week":
		return t.AddDate(0, 0, 7*k), nil
	case "M", "mo", "month":
		return t.AddDate(0, k, 0), nil
	case "y", "year":
		return t.AddDate(k, 0, 0), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a unit of time; units are s m h d w M (months) y", unit)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
