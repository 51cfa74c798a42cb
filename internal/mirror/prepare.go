package mirror

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// asksForDetails reports fields that only the record of one call may have.
func asksForDetails(where filter.Expr) bool {
	for c := range filter.Conds(where) {
		if strings.HasPrefix(c.Field, "metadata.") || strings.HasPrefix(c.Field, "dynamic_variables.") {
			return true
		}
	}
	return false
}

// prepare makes the copy ready for a search or a count, as far as there is time
// to, and says how far it is.
func (m *Mirror) prepare(ctx context.Context, parts []*part, progress call.Progress) error {
	errs := make([]error, len(parts))
	var wait sync.WaitGroup
	w := &watch{tell: progress, told: -1}
	for i, p := range parts {
		wait.Go(func() { errs[i] = m.prepareOne(ctx, p, w) })
	}
	w.until(&wait)
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if m.o.ReadOnly && !slices.ContainsFunc(parts, func(p *part) bool { return !p.cover.AsOf.IsZero() }) && len(parts) > 0 {
		return &store.BrokenError{Reason: "another process is still filling it", Remedy: "It answers once that is done.", Err: errors.New("mirror: nothing is copied yet")}
	}
	if err := m.measure(ctx, parts); err != nil {
		return err
	}
	return nothing(parts)
}

func (m *Mirror) prepareOne(ctx context.Context, p *part, w *watch) error {
	if !p.cover.Full {
		if err := m.complete(ctx, p, w); err != nil {
			return err
		}
		if err := p.lack(ctx); err != nil { // what came meanwhile may be from lists alone
			return err
		}
	}
	if !p.lacks {
		return nil
	}
	if p.down != nil {
		return p.down
	}
	// What the copy lacks, the upstream is asked for; its ids meet the copy.
	found, err := p.Source.Find(ctx, call.Query{Where: p.where, Limit: m.o.MaxFetch, Scan: m.o.MaxFetch})
	if err != nil {
		return err
	}
	p.ids, p.partial = []string{}, found.Next != nil
	for _, l := range found.Logs {
		p.ids = append(p.ids, l.ID.Key)
	}
	return nil
}

// rewritten is where with what an upstream found in place of what the copy
// cannot tell.
func rewritten(parts []*part, where filter.Expr) filter.Expr {
	lacking := false
	var either filter.Or
	from, to, _ := filter.Bounds(where, "timestamp")
	for _, p := range parts {
		own := p.where
		if p.lacks {
			lacking = true
			keys := make([]any, len(p.ids))
			for i, id := range p.ids {
				keys[i] = id
			}
			own = filter.Cond{Field: "id", Op: filter.In, Value: keys}
		}
		either = append(either, filter.All(filter.Cond{Field: "source", Op: filter.Eq, Value: p.Name}, own))
	}
	if !lacking {
		return where
	}
	return filter.All(filter.Within("timestamp", from, to), either)
}

// complete counts what is missing and has it fetched: at once where it is
// little, else in the background.
func (m *Mirror) complete(ctx context.Context, p *part, w *watch) error {
	missing := p.fetchable()
	if len(missing) == 0 {
		return nil
	}
	asking := ctx
	if !p.cover.AsOf.IsZero() {
		asking = call.Hasten(ctx, m.o.Hasty)
	}
	n, err := p.count(asking, missing)
	switch {
	case isDown(ctx, err):
		p.down = err
		return nil
	case err != nil:
		return err
	}
	p.counted, p.asked = n, missing
	if m.o.ReadOnly {
		return nil
	}
	if n <= m.o.MaxFetch {
		j := m.fetch(p, p.Name+windowsKey(missing), missing)
		w.add(p.Name, j, n)
		switch done := m.await(ctx, j, m.patience(p)); {
		case done && store.Broken(j.err) != nil:
			return j.err
		case done:
			p.down = j.err
		default:
			p.filling = true
		}
	} else {
		m.fetch(p, p.Name, missing)
		p.filling = true
	}
	if err := ctx.Err(); err != nil {
		return call.Stopped(err)
	}
	p.cover, err = m.o.Engine.Covered(ctx, p.Name, p.window)
	return err
}

// maxPieces is how many windows are asked for one by one; more are taken as one.
const maxPieces = 6

// fetchable is what is missing and not older than the copy may be.
func (p *part) fetchable() (out []call.Window) {
	begin := p.horizon(p.clock.upstream())
	for _, w := range p.cover.Missing {
		if w.From.Before(begin) {
			w.From = begin
		}
		if w.From.Before(w.To) || w.From.Equal(w.To) {
			out = append(out, w)
		}
	}
	if len(out) > maxPieces {
		out = []call.Window{{From: out[0].From, To: out[len(out)-1].To}}
	}
	return out
}

// count asks how many calls the upstream has in windows, one cheap question
// each; -1 is that it does not say.
func (p *part) count(ctx context.Context, windows []call.Window) (int, error) {
	sum := 0
	for _, w := range windows {
		page, err := p.Source.Find(ctx, call.Query{Where: filter.Within("timestamp", w.From, w.To), Limit: 1, Scan: 1})
		switch {
		case err != nil:
			return 0, err
		case page.Coverage.Calls != nil:
			sum += *page.Coverage.Calls
		case page.Total != nil:
			sum += *page.Total
		case page.Next != nil:
			return -1, nil
		default:
			sum += len(page.Logs)
		}
	}
	return sum, nil
}

func windowsKey(windows []call.Window) string {
	var b strings.Builder
	for _, w := range windows {
		b.WriteString(" " + w.From.Format(time.RFC3339) + "/" + w.To.Truncate(time.Minute).Format(time.RFC3339))
	}
	return b.String()
}

// fetch has windows read in the background, once however many ask for them.
func (m *Mirror) fetch(p *part, key string, windows []call.Window) *job {
	m.mu.Lock()
	defer m.mu.Unlock()
	if j := m.jobs[key]; j != nil {
		return j
	}
	j := &job{done: make(chan struct{})}
	m.jobs[key] = j
	m.work.Go(func() {
		before := 0
		for _, w := range windows {
			var report Report
			report, j.err = m.o.Engine.Fill(m.ctx, p.Name, w, func(pr Progress) {
				j.read.Store(int64(before + pr.Done))
			})
			if before += report.Read; j.err != nil {
				break
			}
		}
		m.mu.Lock()
		delete(m.jobs, key)
		m.mu.Unlock()
		close(j.done)
	})
	return j
}

// patience is how long a question waits for what the copy lacks: not long where
// it has an answer that is hours old at most.
func (m *Mirror) patience(p *part) time.Duration {
	if p.isRecent(p.clock.upstream()) {
		return min(m.o.Patience, m.o.Hasty)
	}
	return m.o.Patience
}

// await waits for a job as long as there is patience, and reports whether it
// is done.
func (m *Mirror) await(ctx context.Context, j *job, patience time.Duration) bool {
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)-reserve)
	}
	timeout := time.NewTimer(max(patience, 0))
	defer timeout.Stop()
	select {
	case <-j.done:
		return true
	case <-ctx.Done():
		return false
	case <-timeout.C:
		return false
	}
}
