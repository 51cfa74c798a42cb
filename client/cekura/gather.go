package cekura

import (
	"context"
	"maps"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// sorted reads the rest of slices[0] by page numbers and sorts it, for an API
// whose order is not what it shows.
func (w *walk) sorted(ctx context.Context) ([]*call.Log, bool, error) {
	w.note("%s does not answer in the order of time; its calls were sorted here", w.s.name)
	logs, err := w.gather(ctx, w.lo, w.at)
	return logs, false, err
}

// crowd reads a second that has more calls than a page, and goes on behind it.
func (w *walk) crowd(ctx context.Context, second time.Time) ([]*call.Log, bool, error) {
	from, to := later(w.lo, second), earlier(w.at, after(second))
	logs, err := w.gather(ctx, from, to)
	if w.q.Order == call.Oldest {
		w.lo, w.left = after(second), -1
	} else {
		w.at = second.Add(-time.Microsecond)
	}
	w.page = 1
	return logs, !w.lo.After(w.at), err
}

// passes bounds how often gather reads a window that changes under its hands.
const passes = 5

// gather reads a window by page numbers, from the first to the last, and
// returns what is fresh, in the order of the walk. Rows that vanish move others
// to a page that was read already, so it reads again until what came is what
// the API counts, or what came before. Where neither happens, it says that calls
// may be missing.
func (w *walk) gather(ctx context.Context, from, to time.Time) ([]*call.Log, error) {
	met := map[string]*call.Log{}
	w.size = w.limit
	var last map[string]bool // of the pass before; nil where that met no end
	sure := false
	for range passes {
		p, err := w.pass(ctx, from, to, met)
		if err != nil {
			return nil, err
		}
		if p.repeats {
			break
		}
		if sure = p.counted || p.ended && maps.Equal(p.came, last); sure {
			break
		}
		if last = nil; p.ended {
			last = p.came
		}
	}
	if !sure && !w.repeating {
		w.lost = true
		w.note("%s changes faster than it can be read; calls may be missing", w.s.name)
	}
	order := call.Newest
	if w.q.Order == call.Oldest {
		order = call.Oldest
	}
	logs := make([]*call.Log, 0, len(met))
	for _, l := range met {
		logs = append(logs, l)
	}
	slices.SortFunc(logs, order.Compare)
	logs, _ = w.fresh(logs)
	return logs, nil
}

// A pass is one reading of a window by its pages.
type pass struct {
	came    map[string]bool
	ended   bool // the API said so
	repeats bool // the API gives the same page again
	counted bool // as many came as were counted, the same at the beginning and the end
}

// pass reads the pages of a window once into met.
func (w *walk) pass(ctx context.Context, from, to time.Time, met map[string]*call.Log) (out pass, err error) {
	out.came = map[string]bool{}
	bound := max(w.q.Scan, call.DefaultScan) + fullSize
	first := -1
	for w.page = 1; ; w.page++ {
		p, err := w.ask(ctx, from, to)
		if err != nil {
			if w.page > 1 && isStatus(err, status404) { // rows were deleted
				out.ended = true
				return out, nil
			}
			return out, err
		}
		n := len(out.came)
		for _, l := range p.logs {
			out.came[l.ID.Key] = true
			met[l.ID.Key] = l
		}
		if w.page == 1 && p.count != nil {
			first = *p.count
		}
		switch {
		case !p.next:
			out.ended = true
			out.counted = p.count != nil && *p.count == first && first == len(out.came)+p.skipped || w.page == 1
			return out, nil
		case p.again:
			w.giveUp()
			out.repeats = true
			return out, nil
		case len(out.came) == n: // the list moves
			return out, nil
		case len(met) > bound:
			return out, &call.Error{
				Kind: call.TooLarge,
				Msg:  "Cekura answers with too many calls out of order to sort them here.",
				Hint: "Narrow the window.",
			}
		}
	}
}

// status404 is that of a page behind the last one.
const status404 = 404
