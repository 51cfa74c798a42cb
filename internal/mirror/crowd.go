package mirror

import (
	"context"
	"sync/atomic"
	"time"

	"call-logs-mcp/internal/call"
)

// A crowd is who asks about one source at the same time. One who asks alone is
// answered by the upstream where the copy is out of date, at the price of one
// request. Many are not: at its pace they would wait for each other.
type crowd struct {
	asking atomic.Int32 // questions that the upstream is being asked now
	since  atomic.Int32 // answers from the copy since it was read anew ahead of time
}

const (
	maxAsking = 4  // questions that go to an upstream side by side; more share a reading
	many      = 20 // answers within half of freshFor that make a crowd
)

// isFresh reports whether the copy may answer for p. Where a crowd asks about
// calls of the last 48 hours, these are read anew once for all of them: before
// they are out of date, so that nobody waits, or else now.
func (m *Mirror) isFresh(ctx context.Context, p *part) bool {
	c := m.crowds[p.Name]
	now := p.clock.upstream()
	switch {
	case p.cover.Full && p.cover.RecentAsOf.IsZero():
	case p.cover.Full && now.Sub(p.cover.RecentAsOf) < freshFor/2:
		c.since.Store(0)
	case p.cover.Full:
		if !m.o.ReadOnly && c.since.Add(1) == many {
			m.reread(p)
		}
	case c.asking.Load() >= maxAsking && p.isRecent(now):
		return m.shared(ctx, p)
	}
	return p.cover.Full
}

// isRecent reports that all that is missing is from the last 48 hours, and that
// the copy has an older reading of it.
func (p *part) isRecent(now time.Time) bool {
	return !p.cover.AsOf.IsZero() && len(p.cover.Missing) > 0 && !p.cover.Missing[0].From.Before(now.Add(-recent-time.Minute))
}

// shared waits for the reading that all who ask now share, and reports whether
// the copy may answer by it.
func (m *Mirror) shared(ctx context.Context, p *part) bool {
	if m.o.ReadOnly { // another process reads, and the answer says as of when
		return p.clock.upstream().Sub(p.cover.RecentAsOf) < 5*freshFor
	}
	j := m.reread(p)
	if m.await(ctx, j, m.o.Hasty) {
		p.down = j.err
	} else {
		p.filling = true
	}
	if cover, err := m.o.Engine.Covered(ctx, p.Name, p.window); err == nil {
		p.cover = cover
	}
	// What was read may be from lists alone, or must not be stored.
	return p.lack(ctx) == nil && !p.lacks && !p.cover.Withheld.Any()
}

// reread has the calls of the last 48 hours read, once however many ask.
func (m *Mirror) reread(p *part) *job {
	now := p.clock.upstream()
	return m.fetch(p, p.Name+" recent", []call.Window{{From: now.Add(-recent), To: now}})
}
