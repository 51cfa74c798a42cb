package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"call-logs-mcp/internal/call"
)

// measure counts what the copy has of parts. It comes before the copy is asked:
// while it fills, an answer may then know of more calls than it says, not less.
func (m *Mirror) measure(ctx context.Context, parts []*part) error {
	for _, x := range parts {
		inside, err := x.hasAll(ctx)
		for range 3 { // it may be filled at this moment
			if err == nil {
				x.have, err = x.has(ctx, x.cover.Window)
			}
			before := inside
			if err == nil {
				inside, err = x.hasAll(ctx)
			}
			if err != nil {
				return err
			}
			if inside == before {
				break
			}
		}
		switch {
		case x.cover.Withheld.More:
			x.whole = -1
		case len(x.cover.Unread) == 0:
			x.whole = x.have + len(x.cover.Withheld.Starts)
		case x.counted < 0 || x.beyond():
			x.whole = -1
		default: // what was counted and fetched since, or withheld, is in both
			out := x.cover.Withheld
			x.whole = max(x.have+x.counted-inside+len(out.Starts)-out.in(x.asked), x.have)
		}
	}
	return nil
}

// vouch says on a page of the copy what it may be believed for.
func (m *Mirror) vouch(ctx context.Context, parts []*part, p *call.Page) {
	complete, known := true, true
	have, whole := 0, 0
	for _, x := range parts {
		complete = complete && len(x.cover.Unread) == 0 && !x.partial && !x.cover.Withheld.Any()
		known = known && x.whole >= 0
		have, whole = have+x.have, whole+x.whole
		p.Notes = append(p.Notes, x.notes(ctx, m.o)...)
		if x.isLost() {
			p.Coverage.Missing = append(p.Coverage.Missing, x.Name)
		}
		// What is down, or on its way, no other window has either.
		p.Coverage.Stuck = p.Coverage.Stuck || x.down != nil || x.filling || m.o.ReadOnly
	}
	p.AsOf = asOf(parts)
	p.Window = windowOf(parts)
	p.Coverage.Complete = p.Coverage.Complete && complete
	p.Coverage.Searched, p.Coverage.Calls = have, nil
	if known {
		p.Coverage.Calls = &whole
	}
	if !p.Coverage.Complete {
		p.Coverage.Until = until(parts)
	}
	if !complete {
		p.Total = nil // it is that of what is there, not of what was asked
	}
}

// until is where the reading of all parts ends, where that is before the end of
// the window and all that is not covered; zero where there is more than that.
func until(parts []*part) (at time.Time) {
	for _, x := range parts {
		switch unread := x.cover.Unread; {
		case x.partial || x.cover.Withheld.Any():
			return time.Time{}
		case len(unread) == 0:
		case len(unread) > 1 || !unread[0].From.After(x.cover.Window.From) || unread[0].To.Before(x.cover.Window.To):
			return time.Time{}
		case at.IsZero() || unread[0].From.Before(at):
			at = unread[0].From
		}
	}
	return at
}

// windowOf is the window that an answer is about, its open bounds made absolute.
func windowOf(parts []*part) (w call.Window) {
	for i, x := range parts {
		if c := x.cover.Window; i == 0 {
			w = c
		} else {
			if c.From.Before(w.From) {
				w.From = c.From
			}
			if c.To.After(w.To) {
				w.To = c.To
			}
		}
	}
	return w
}

// hasAll is how many calls the copy has in what was missing.
func (x *part) hasAll(ctx context.Context) (sum int, err error) {
	for _, w := range x.asked {
		n, err := x.has(ctx, w)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// has is how many calls the copy has in a window.
func (x *part) has(ctx context.Context, w call.Window) (int, error) {
	return x.o.Ledger.Calls(ctx, x.Name, w.From, w.To)
}

// beyond reports that the question goes further back than the copy may.
func (p *part) beyond() bool {
	return p.cover.Window.From.Before(p.horizon(p.clock.upstream()))
}

// asOf is when all of an answer was true.
func asOf(parts []*part) (at time.Time) {
	for _, p := range parts {
		if t := p.cover.AsOf; !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

// notes is what the reader has to know of a source that the copy answers for.
func (p *part) notes(ctx context.Context, o ReadThrough) (notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	unread := p.cover.Unread
	if p.beyond() {
		note("The copy of %s goes back to %s; what was before was not looked at.", p.Name, p.horizon(p.clock.upstream()).Format(time.DateOnly))
	}
	meanwhile := ""
	switch {
	case p.filling:
		meanwhile = "; the rest is being fetched, so ask again in a minute"
	case o.ReadOnly:
		meanwhile = "; another process fetches the rest"
	}
	switch {
	case p.isLost():
		note("%s Its calls are missing.", p.downWords())
	case p.down != nil:
		note("%s Its calls are from the copy%s%s", p.downWords(), since(p.cover.AsOf), nothingOf(unread))
	case len(unread) > 0 && p.whole > 0:
		note("The copy holds %d of about %d calls of %s in this window (%d %%)%s.", p.have, p.whole, p.Name, 100*p.have/p.whole, meanwhile)
	case len(unread) > 0 && !p.beyond():
		note("The copy does not cover this window of %s%s%s", p.Name, meanwhile, nothingOf(unread))
	case len(p.cover.Missing) > 0 && !p.cover.AsOf.IsZero():
		note("Calls of %s are as of %s%s.", p.Name, stamp(p.cover.AsOf), meanwhile)
	}
	if n := len(p.cover.Withheld.Starts); p.cover.Withheld.Any() {
		what := fmt.Sprintf("%d calls", n)
		switch {
		case p.cover.Withheld.More:
			what = fmt.Sprintf("%d calls or more", n)
		case n == 1:
			what = "1 call"
		}
		note("%s of %s in this window must not be stored: only the upstream has them, and this answer leaves them out.", what, p.Name)
	}
	if p.unjudged > 0 {
		note("Of %d calls of %s the copy has what lists show: verdicts by rubric are missing there, and metric_evaluations.passed knows those of binary metrics alone.", p.unjudged, p.Name)
	}
	if p.partial {
		note("Of %s only the newest %d calls that fit what the copy lacks were searched.", p.Name, o.MaxFetch)
	}
	if hold := p.held(ctx); hold != nil {
		note("%s.", hold)
	}
	return notes
}

// downWords is what is said of an upstream that did not answer, or not all.
func (p *part) downWords() string {
	if lost := (*lostError)(nil); errors.As(p.down, &lost) {
		return reason(p.down)
	}
	return p.Name + " could not be asked. " + reason(p.down)
}

// since is as of when the copy answers, nothing where it covers nothing.
func since(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", as of " + stamp(at)
}

// reason is why an upstream failed, in its words to people.
func reason(err error) string {
	if e := (*call.Error)(nil); errors.As(err, &e) {
		return e.Msg
	}
	return "It failed."
}

// nothingOf says which windows were never read.
func nothingOf(unread []call.Window) string {
	switch len(unread) {
	case 0:
		return "."
	case 1:
		return fmt.Sprintf("; it has nothing of %s to %s.", stamp(unread[0].From), stamp(unread[0].To))
	}
	return fmt.Sprintf("; it has nothing of %d spans between %s and %s.", len(unread), stamp(unread[0].From), stamp(unread[len(unread)-1].To))
}
