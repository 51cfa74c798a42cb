package call

import (
	"context"
	"time"
)

// hastened is the key of the time that an upstream has, in a context.
type hastened struct{}

// Hasten says that who asks has another answer, such as an older one of a
// mirror: a source gives up a request to its upstream after most, and asks one
// that refuses the connection no second time.
func Hasten(ctx context.Context, most time.Duration) context.Context {
	return context.WithValue(ctx, hastened{}, most)
}

// Haste is the time that a request has, 0 where nobody hastens.
func Haste(ctx context.Context) time.Duration {
	most, _ := ctx.Value(hastened{}).(time.Duration)
	return most
}

// background is the key of who asks for nobody, in a context.
type background struct{}

// Background says that nobody waits for the answers, as with a mirror's sync: a
// source lets questions of others go first.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, background{}, true)
}

// IsBackground reports whether nobody waits.
func IsBackground(ctx context.Context) bool { return ctx.Value(background{}) != nil }

// Moment writes a time to the minute, in UTC: 08:34 UTC where that is today, and
// with its date on other days.
func Moment(t, now time.Time) string {
	if t, now = t.UTC(), now.UTC(); t.Format(time.DateOnly) != now.Format(time.DateOnly) {
		return t.Format("2006-01-02 15:04 UTC")
	}
	return t.Format("15:04 UTC")
}
