package cekura

import (
	"context"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// oldest reads the last unread page of slices[0], from its end. The last page
// of a window is one answer, so what arrives or vanishes cannot come between
// its rows; and the next window begins at the newest of them.
func (w *walk) oldest(ctx context.Context) (logs []*call.Log, more bool, err error) {
	for range 6 {
		if w.left >= 0 {
			w.size = fit(w.left, w.size, w.limit)
			w.page = max(1, (w.left+w.size-1)/w.size)
		}
		p, err := w.ask(ctx, w.lo, w.at)
		if err != nil {
			if w.page > 1 && isStatus(err, status404) { // rows were deleted
				w.left, w.page = -1, 1
				continue
			}
			return nil, false, err
		}
		w.learn(p, w.lo, w.at)
		switch {
		case !descending(p.logs) || p.next && p.count == nil:
			return w.sorted(ctx)
		case p.next: // the page is not the last, or no longer
			w.left = *p.count
			continue
		}
		return w.backwards(ctx, p)
	}
	return w.sorted(ctx)
}

// backwards hands on the last page of a window, oldest first.
func (w *walk) backwards(ctx context.Context, p *page) ([]*call.Log, bool, error) {
	slices.Reverse(p.logs)
	newest := time.Time{}
	for _, l := range p.logs {
		newest = later(newest, l.StartedAt)
	}
	switch lo := newest.Truncate(time.Second); {
	case w.page == 1:
		logs, _ := w.fresh(p.logs)
		return logs, false, nil
	case !lo.After(w.lo): // a second that fills a page
		return w.crowd(ctx, lo)
	default:
		again := 0 // rows of the second that the next window begins with
		for _, l := range p.logs {
			if !l.StartedAt.Before(lo) {
				again++
			}
		}
		w.lo = lo
		w.left = max(0, (w.page-1)*w.size+again)
		w.page = 1
	}
	logs, _ := w.fresh(p.logs)
	return logs, true, nil
}

// fit is a page size at which the last page of n rows is as full as can be: if
// possible with want rows or more.
func fit(n, want, limit int) int {
	want = max(1, min(want, limit))
	best, most := want, 0
	for size := max(1, want/2); size <= min(2*want, limit); size++ {
		last := n - max(0, n-1)/size*size
		if last > most || last == most && size > best {
			best, most = size, last
		}
		if size >= want && (most >= want || n <= size) {
			break
		}
	}
	return best
}
