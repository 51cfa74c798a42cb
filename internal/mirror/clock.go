package mirror

import (
	"sync"
	"time"
)

// A clock tells the upstream's time: ours, put right by the Date of its answers.
type clock struct {
	now func() time.Time

	mu    sync.Mutex
	skew  time.Duration
	heard bool // a Date
	asked bool // something, whether it came with a Date or not
}

// coarse is how far an estimate may be off because of the Date's whole seconds
// and the way here; smaller changes are noise.
const coarse = 3 * time.Second

// hear learns from an answer that came with a Date; a zero one says nothing.
func (c *clock) hear(date, sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked = true; date.IsZero() {
		return
	}
	got := c.now()
	skew := date.Sub(got)
	if off := skew - c.skew; !c.heard || off.Abs() > coarse+got.Sub(sent) {
		c.skew, c.heard = skew, true
	}
}

// remember takes over what was heard before this process began.
func (c *clock) remember(skew time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard {
		c.skew = skew
	}
}

// off is how far the upstream's clock is ahead of ours, and whether we know it
// from this process.
func (c *clock) off() (skew time.Duration, asked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew, c.asked
}

// upstream is the time there.
func (c *clock) upstream() time.Time {
	skew, _ := c.off()
	return c.now().Add(skew).UTC()
}

// at is when an answer's reading began there, never later than its Date.
func (c *clock) at(sent, date time.Time) time.Time {
	skew, _ := c.off()
	t := sent.Add(skew).UTC()
	if !date.IsZero() && date.Before(t) {
		return date.UTC()
	}
	return t
}
