package cekura

import (
	"context"
	"strconv"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// countWait is how long an answer waits for its total.
const countWait = 10 * time.Second

// count asks how many calls each slice holds, in the background and in pages of
// one row, where the first answer does not say so for the whole window.
func (w *walk) count(ctx context.Context) {
	w.underway = true
	if len(w.all) > maxCounts || w.plan.ids > 0 || w.stray || w.repeating || w.uncounted {
		return
	}
	for i := range w.all {
		if w.counts[i] != nil {
			continue
		}
		w.counting.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, countWait)
			defer cancel()
			to := w.all[i].to
			if i > 0 { // the instant between two slices is counted with the newer
				to = to.Add(-time.Microsecond)
			}
			p, err := w.s.list(ctx, w.plan, w.plan.request(w.all[i].from, to, 1, 1))
			if err == nil {
				w.counts[i] = p.count
			}
		})
	}
}

// counted is how many calls the API counts in the whole window, nil where it
// does not say.
func (w *walk) counted() *int {
	w.counting.Wait()
	sum := 0
	for _, n := range w.counts {
		if n == nil {
			return nil
		}
		sum += *n
	}
	return &sum
}

// finish says on the page what the walk has learned.
func (w *walk) finish(p call.Page) (call.Page, error) {
	q := w.q
	name := w.s.name
	if w.ignored && len(w.plan.blind) > 0 {
		return call.Page{}, &call.Error{
			Kind: call.Unavailable,
			Msg:  "Cekura did not apply the filter, and whether calls fit " + w.plan.blind[0] + " cannot be told from its lists.",
			Hint: "Leave " + w.plan.blind[0] + " out and read single calls with get_call_log.",
		}
	}
	p.Window, p.Clock = w.plan.window, w.clock
	p.Notes = append(append(w.plan.notes, w.notes...), p.Notes...)
	switch {
	case w.ignored:
		p.Notes = append(p.Notes, name+" ignored part of the filter; it was applied here")
	case w.unsure():
	default:
		p.Coverage.Calls = w.counted()
		if p.Total == nil && !w.filters() {
			p.Total = p.Coverage.Calls
		}
	}
	if !w.filters() && p.Next != nil && len(p.Logs) >= max(q.Limit, 1) {
		p.Coverage.Complete = true // the page is full, and the rest is counted
	}
	if w.lost {
		p.Coverage.Complete, p.Total = false, nil
		p.Coverage.Stuck = w.repeating // it would in a narrower window, too
	}
	if n := len(p.Logs); p.Total != nil && *p.Total < n { // a count that lies
		p.Total = nil
		if p.Next == nil && q.After == nil && p.Coverage.Complete {
			p.Total = &n
		}
	}
	if w.skipped > 0 {
		p.Notes = append(p.Notes, plural(w.skipped, "row")+" of "+name+" had no id and could not be read")
	}
	if w.heavy > 0 {
		p.Coverage.Complete = false
		p.Notes = append(p.Notes, plural(w.heavy, "call")+" of "+name+" was larger than the limit of one answer and is left out")
	}
	return p, nil
}

// unsure says that the API's count may be of calls outside of what is configured.
func (w *walk) unsure() bool {
	return w.q.Within != nil && (filter.Mentions(w.plan.rest, "agent.id", "project_id") || w.s.now().Unix() < w.s.ignored.Load())
}

// filters says that the API's count is not that of the matches.
func (w *walk) filters() bool { return w.plan.rest != nil || w.q.Text != nil }

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
