package cekura

import (
	"context"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// tries bounds how often a last page is looked for: narrowing halves what is
// left of a window, and more.
const tries = 40

// oldest reads the last unread page of slices[0], from its end. The last page
// of a window is one answer, so what arrives or vanishes cannot come between
// its rows; and the next window begins at the newest of them. While calls
// arrive, a last page may fill before it is read: then the window is narrowed
// to what lies behind the page that came, where fewer do.
func (w *walk) oldest(ctx context.Context) (logs []*call.Log, more bool, err error) {
	hi, vain := w.at, 0 // vain answers say that more follows than they count, or bring nothing
	for n := 0; n < tries && vain < 6; n++ {
		if w.left >= 0 {
			w.size = fit(w.left, w.size, w.limit)
			w.page = max(1, (w.left+w.size-1)/w.size)
		}
		p, err := w.ask(ctx, w.lo, hi)
		if err != nil {
			if w.page > 1 && isStatus(err, status404) { // rows were deleted
				w.left, w.page = -1, 1
				continue
			}
			return nil, false, err
		}
		w.learn(p, w.lo, hi)
		if p.again && p.next {
			w.giveUp()
			logs, _ := w.fresh(p.logs)
			return logs, false, nil
		}
		if p.next && (p.raw == 0 || p.count != nil && w.page*w.size >= *p.count) {
			vain++
		}
		switch {
		case !descending(p.logs) || p.next && p.count == nil:
			return w.sorted(ctx)
		case !p.next:
			return w.backwards(ctx, p, hi)
		case w.left >= 0 && vain == 0: // the page was the last when it was counted
			if to := after(oldestOf(p.logs)); to.After(w.lo) && to.Before(hi) {
				hi, w.left, w.page = to, -1, 1
				continue
			}
			if !hi.After(after(w.lo)) {
				return w.crowd(ctx, w.lo.Truncate(time.Second))
			}
		}
		w.left = *p.count
	}
	return w.sorted(ctx)
}

// oldestOf is when the last of logs, newest first, began that has a time.
func oldestOf(logs []*call.Log) time.Time {
	for _, l := range slices.Backward(logs) {
		if !l.StartedAt.IsZero() {
			return l.StartedAt
		}
	}
	return time.Time{}
}

// backwards hands on the last page of a window that ends at hi, oldest first.
func (w *walk) backwards(ctx context.Context, p *page, hi time.Time) ([]*call.Log, bool, error) {
	slices.Reverse(p.logs)
	newest := time.Time{}
	for _, l := range p.logs {
		newest = later(newest, l.StartedAt)
	}
	switch lo := newest.Truncate(time.Second); {
	case w.page == 1 && hi.Equal(w.at):
		logs, _ := w.fresh(p.logs)
		return logs, false, nil
	case w.page == 1: // all of a narrowed window, which ends with a second
		w.lo, w.left = hi, -1
	case !lo.After(w.lo): // a second that fills a page
		return w.crowd(ctx, lo)
	default:
		again := 0 // rows of the second that the next window begins with
		for _, l := range p.logs {
			if !l.StartedAt.Before(lo) {
				again++
			}
		}
		w.lo, w.left = lo, -1
		if hi.Equal(w.at) { // else nobody knows how many there are behind it
			w.left = max(0, (w.page-1)*w.size+again)
		}
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
