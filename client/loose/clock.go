package loose

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/lazyregexp"
)

// A Hint is what is known of a call whose transcript is read.
type Hint struct {
	Start  time.Time      // zero where it is not known
	Length *time.Duration // nil where it is not known
	Unit   time.Duration  // of numbers, as the upstream documents it; 0 where nobody does
}

// A moment is a time as a transcript writes it: a number in a unit that may have
// to be found out, a time since the call began, or one of the calendar.
type moment struct {
	number  float64
	unit    time.Duration // of number, 0 if unknown
	at      time.Time
	form    form
	spoken  bool // of a word, which may be in another unit than entries are
	ofClock bool // with hours, minutes and seconds: perhaps the time of day
}

type form int

const (
	never form = iota
	number
	offset
	instant
)

// momentOf reads the time v of a member whose name says the unit, or 0.
func momentOf(v gjson.Result, unit time.Duration) moment {
	switch v.Type {
	case gjson.Number:
		if v.Num < 0 {
			return moment{}
		}
		return moment{number: v.Num, unit: unit, form: number}
	case gjson.String:
		return momentIn(v.Str, unit)
	}
	return moment{}
}

func momentIn(s string, unit time.Duration) moment {
	s = strings.TrimSpace(s)
	if f, err := strconv.ParseFloat(strings.TrimSuffix(s, "s"), 64); err == nil {
		if f < 0 || math.IsInf(f, 0) || math.IsNaN(f) {
			return moment{}
		}
		if strings.HasSuffix(s, "s") {
			unit = time.Second
		}
		return moment{number: f, unit: unit, form: number}
	}
	if d, ok := Clock(strings.Replace(s, ",", ".", 1)); ok {
		return moment{number: d.Seconds(), unit: time.Second, form: offset, ofClock: strings.Count(s, ":") == 2}
	}
	if d, ok := spelled(s); ok {
		return moment{number: d.Seconds(), unit: time.Second, form: offset}
	}
	if m := twelveHours.FindStringSubmatch(s); m != nil {
		for _, layout := range []string{"3:04:05PM", "3:04PM"} {
			if t, err := time.Parse(layout, strings.ToUpper(m[1]+m[2]+"M")); err == nil {
				return moment{number: t.Sub(t.Truncate(24 * time.Hour)).Seconds(), unit: time.Second, form: offset, ofClock: true}
			}
		}
	}
	if t, ok := Instant(s); ok {
		return moment{at: t, form: instant}
	}
	return moment{}
}

var twelveHours = lazyregexp.New(`^(\d{1,2}:\d\d(?::\d\d)?)\s*([AaPp])\.?[Mm]\.?$`)

// A scale turns the moments of one transcript into times since the call began.
type scale struct {
	unit, wordUnit time.Duration
	epoch          bool          // numbers count from 1970
	shift          time.Duration // to add to what numbers say
	base           time.Time     // when instants count from
	midnight       time.Duration // what the times of day count from
}

// slack is how much longer than a call its transcript may be.
func slack(length time.Duration) time.Duration { return 2*length + 30*time.Second }

// scaleOf finds out how the times of a transcript are written.
func scaleOf(entries []entry, h Hint) scale {
	s := scale{base: h.Start}
	var numbers, words, clocks []float64
	var first time.Time
	var latest time.Time
	for i := range entries {
		for _, m := range []*moment{&entries[i].start, &entries[i].other, &entries[i].end} {
			m.date(h.Start)
			switch {
			case m.form == number && m.unit == 0 && m.spoken:
				words = append(words, m.number)
			case m.form == number && m.unit == 0:
				numbers = append(numbers, m.number)
			case m.form == offset && m.ofClock:
				clocks = append(clocks, m.number)
			case m.form == instant:
				if first.IsZero() || m.at.Before(first) {
					first = m.at
				}
				if m.at.After(latest) {
					latest = m.at
				}
			}
		}
	}
	s.base = baseOf(first, latest, h)
	s.unit, s.epoch, s.shift = unitOf(numbers, h)
	h.Unit = 0
	s.wordUnit, _, _ = unitOf(words, h)
	s.midnight = midnightOf(clocks, h)
	return s
}

// date makes a number that counts from 1970, and is near the start of the call,
// one of the calendar: transcripts mix them with others.
func (m *moment) date(start time.Time) {
	if m.form != number || m.unit != 0 || start.IsZero() || m.number < 1e8 {
		return
	}
	for _, u := range units {
		if math.Abs(m.number*u.Seconds()-float64(start.Unix())) < 86400 {
			m.at, m.form = instantOf(m.number, u), instant
			return
		}
	}
}

// baseOf is when instants count from: the start of the call, or where that is
// unknown or another day's or zone's, the first of them.
func baseOf(first, latest time.Time, h Hint) time.Time {
	if h.Start.IsZero() || first.IsZero() {
		return first
	}
	most := 24 * time.Hour
	if h.Length != nil && *h.Length > 0 {
		most = slack(*h.Length)
	}
	if first.Before(h.Start.Add(-5*time.Second)) || latest.Sub(h.Start) > most {
		return first
	}
	return h.Start
}

var units = []time.Duration{time.Second, time.Millisecond, time.Microsecond, time.Nanosecond}

// unitOf is what numbers are in, as the length of the call tells, whether they
// count from 1970, and then what has to be added.
func unitOf(numbers []float64, h Hint) (unit time.Duration, epoch bool, shift time.Duration) {
	if len(numbers) == 0 {
		return time.Second, false, 0
	}
	low, high, fractions := numbers[0], numbers[0], false
	for _, n := range numbers {
		low, high, fractions = min(low, n), max(high, n), fractions || n != math.Trunc(n)
	}
	if unit := epochUnit(low, high); unit > 0 {
		base := baseOf(instantOf(low, unit), instantOf(high, unit), h)
		return unit, true, -base.Sub(time.Unix(0, 0))
	}
	fits := func(u time.Duration) bool {
		return h.Length != nil && *h.Length > 0 && high*u.Seconds() <= slack(*h.Length).Seconds()
	}
	if h.Unit > 0 && fits(h.Unit) && high*h.Unit.Seconds() >= h.Length.Seconds()/50 {
		return h.Unit, false, 0
	}
	for _, u := range units {
		if fits(u) {
			return u, false, 0
		}
	}
	switch {
	case fractions && high < 36000, h.Unit == 0 && high < 36000: // ten hours
		return time.Second, false, 0
	case h.Unit > 0:
		return h.Unit, false, 0
	case high < 36000e3:
		return time.Millisecond, false, 0
	case high < 36000e6:
		return time.Microsecond, false, 0
	}
	return time.Nanosecond, false, 0
}

// epochUnit is the unit in which numbers count from 1970, 0 where they do not:
// those are of this century and near each other.
func epochUnit(low, high float64) time.Duration {
	for _, u := range units {
		from, to := low*u.Seconds(), high*u.Seconds()
		if from < 946684800 || to > 4102444800 { // the years 2000 and 2100
			continue
		}
		if to-from < 86400 && low > 0.99*high {
			return u
		}
	}
	return 0
}

func instantOf(n float64, unit time.Duration) time.Time {
	whole, rest := math.Modf(n * unit.Seconds())
	return time.Unix(int64(whole), int64(math.Round(rest*1e6))*1000).UTC()
}

// midnightOf is what to take from times of day: they are such where they lie
// behind the end of the call.
func midnightOf(clocks []float64, h Hint) time.Duration {
	if len(clocks) == 0 || h.Length == nil || *h.Length <= 0 {
		return 0
	}
	low, high := clocks[0], clocks[0]
	for _, n := range clocks {
		low, high = min(low, n), max(high, n)
	}
	most := slack(*h.Length).Seconds()
	if high <= most || high-low > most {
		return 0
	}
	if !h.Start.IsZero() {
		day := h.Start.Truncate(24 * time.Hour)
		if of := h.Start.Sub(day).Seconds(); low >= of-1 && high-of <= most {
			return h.Start.Sub(day)
		}
	}
	return time.Duration(low * float64(time.Second))
}

// of is a moment since the call began, nil where it is not known.
func (s *scale) of(m moment) *time.Duration {
	var d time.Duration
	switch m.form {
	case number:
		unit, epoch := m.unit, false
		if unit == 0 {
			if unit, epoch = s.unit, s.epoch; m.spoken {
				unit, epoch = s.wordUnit, false
			}
		}
		if m.number*unit.Seconds() > 1e10 {
			return nil
		}
		if epoch {
			d = instantOf(m.number, unit).Sub(time.Unix(0, 0)) + s.shift
			break
		}
		d = time.Duration(math.Round(m.number * float64(unit)))
	case offset:
		if d = time.Duration(math.Round(m.number * float64(time.Second))); m.ofClock {
			d -= s.midnight
		}
	case instant:
		d = m.at.Sub(s.base)
	default:
		return nil
	}
	d = max(0, d).Round(time.Millisecond)
	return &d
}

// absolute says that m is of the calendar, or counts from 1970.
func (s *scale) absolute(m moment) bool {
	return m.form == instant || m.form == number && m.unit == 0 && !m.spoken && s.epoch
}

// span is when an entry began and ended.
func (s *scale) span(e *entry) (start, end *time.Duration) {
	start, end = s.of(e.start), s.of(e.end)
	if start == nil {
		start = s.of(e.other)
	}
	if other := s.of(e.other); end != nil && other != nil && s.absolute(e.end) && !s.absolute(e.start) && s.absolute(e.other) {
		d := *start + *end - *other
		end = &d
	}
	if e.length.form == number && end == nil && start != nil {
		if took := s.of(e.length); took != nil {
			d := *start + *took
			end = &d
		}
	}
	if end != nil && start != nil && *end < *start {
		end = nil
	}
	return start, end
}
