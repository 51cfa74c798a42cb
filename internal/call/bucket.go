package call

import (
	"math"
	"time"
)

// A Bucket is the part of time that a Unit cuts out around an instant. All of
// From to Until, that excluded, lies in it.
type Bucket struct {
	Key         string
	Order       int64
	From, Until time.Time
}

// absentOrder puts calls without a start before all others.
const absentOrder = math.MinInt64

// Bucket is the bucket of t, moved by shift, in the calendar of zone. Hours
// carry the offset from UTC, since one of them comes twice a year.
func (u Unit) Bucket(t time.Time, shift time.Duration, zone *time.Location) Bucket {
	if t.IsZero() {
		return Bucket{Key: Absent, Order: absentOrder}
	}
	if zone == nil {
		zone = time.UTC
	}
	t = t.Add(shift).In(zone)
	b := u.key(t)
	y, m, d := t.Date()
	switch u {
	case Hour:
		b.From = t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
		b.Until = b.From.Add(time.Hour)
	case Day:
		b.From, b.Until = time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	case Week:
		d -= weekday(t)
		b.From, b.Until = time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+7, 0, 0, 0, 0, zone)
	default:
		b.From, b.Until = time.Date(y, m, 1, 0, 0, 0, 0, zone), time.Date(y, m+1, 1, 0, 0, 0, 0, zone)
	}
	// Where the clock changes at its edge, a bucket is not what it seems.
	if t.Before(b.From) || !t.Before(b.Until) || u.key(b.From).Key != b.Key || u.key(b.Until.Add(-1)).Key != b.Key {
		b.From, b.Until = t, t.Add(1)
	}
	b.From, b.Until = b.From.Add(-shift), b.Until.Add(-shift)
	return b
}

func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 } // from Monday

func (u Unit) key(t time.Time) Bucket {
	y, m, d := t.Date()
	day := func(d int) int64 { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() }
	switch u {
	case Hour:
		return Bucket{Key: t.Format("2006-01-02T15:00Z07:00"), Order: t.Unix() - int64(t.Minute()*60+t.Second())}
	case Day:
		return Bucket{Key: t.Format(time.DateOnly), Order: day(d)}
	case Week:
		monday := time.Unix(day(d-weekday(t)), 0).UTC()
		return Bucket{Key: monday.Format(time.DateOnly), Order: monday.Unix()}
	}
	return Bucket{Key: t.Format("2006-01"), Order: day(1)}
}
