package mirror

import (
	"context"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Locate implements call.Locator. The copy knows which calls there are where it
// is whole: all that it may hold was read, and lately. The newest are read anew
// for that, once a minute however many ask and whatever for.
func (m *Mirror) Locate(ctx context.Context, id call.ID, where filter.Expr) (there, known bool) {
	s, err := m.o.Engine.source(id.Source)
	if err != nil {
		return false, false
	}
	own, ok := filter.Assume(where, "source", id.Source)
	if !ok {
		return false, true
	}
	p := &part{syncer: s, where: own, counted: -1}
	if p.cover, err = m.o.Engine.Covered(ctx, id.Source, p.window); err != nil {
		return false, false
	}
	known = m.whole(ctx, p) && p.lack(ctx) == nil && !p.lacks && p.unjudged == 0
	if st, err := s.peek(ctx); err != nil || st.Untold > 0 || st.Withheld[id.Key] != 0 {
		known = false // it may be one that must not be stored
	}
	there, err = call.Has(ctx, m.o.Copy, id, own)
	return there, known && err == nil
}

// whole reports whether the copy has all calls of p, as of the last minute or, if
// the upstream does not answer, as of when it did.
func (m *Mirror) whole(ctx context.Context, p *part) bool {
	now := p.clock.upstream()
	switch {
	case p.cover.Full:
		return true
	case !p.isRecent(now):
		return false
	case m.o.ReadOnly: // another process reads
		return now.Sub(p.cover.RecentAsOf) < 5*freshFor
	}
	j := m.reread(p)
	if !m.await(ctx, j, m.o.Hasty) {
		return false
	}
	if isDown(ctx, j.err) {
		return true
	}
	cover, err := m.o.Engine.Covered(ctx, p.Name, p.window)
	return err == nil && j.err == nil && cover.Full
}

var _ call.Locator = (*Mirror)(nil)
