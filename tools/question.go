package tools

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/render"
)

// A question is a query, and what the answer says of it.
type question struct {
	tool    string
	sources []string // that it goes to
	query   call.Query
	asked   string // the window in the caller's own words, where they are relative
	total   *int   // known from an earlier page
	paging  bool   // this is not the first page
	today   string // the date when it was asked, in UTC
	seal    func(call.Cursor) string
	at      time.Time   // when relative times were resolved
	wanted  call.Window // as it was asked for, before a source narrowed it
}

// longestFilter bounds what is said back with every page, and held by its cursor.
const longestFilter = 16_000

// question folds the arguments of a tool into a question, or takes up the one
// that the cursor holds.
func (d Deps) question(ctx context.Context, tool string, s selection, p paging) (question, error) {
	seal := func(c call.Cursor) string { return d.sealed(ctx, c) }
	if p.Cursor != "" {
		c, err := d.resumed(ctx, tool, p.Cursor)
		if err != nil {
			return question{}, err
		}
		if c, err = d.Held.lengthen(c, func() (filter.Expr, error) { return s.where(d.pinned(c.At)) }); err != nil {
			return question{}, err
		}
		q := question{tool: tool, query: c.Resume(), total: c.Total, paging: true, seal: seal, at: c.At, wanted: c.Asked, today: d.today()}
		q.sources = d.asked(q.query.Where)
		if err := q.same(d, s, c); err != nil {
			return question{}, err
		}
		if p.PageSize != 0 {
			q.query.Limit = p.PageSize
		}
		q.query.Scan, q.query.Progress = d.Scan, d.progress
		return q, nil
	}
	at := d.Now().Truncate(time.Millisecond) // which a cursor holds
	d = d.pinned(at)
	where, err := s.where(d)
	if err != nil {
		return question{}, err
	}
	if n := len(text(where)); n > longestFilter {
		return question{}, &call.Error{
			Kind: call.Invalid, Msg: fmt.Sprintf("The filters take %s characters as JSON; at most %s are taken.", thousands(n), thousands(longestFilter)),
			Hint: "Ask for fewer values at once.",
		}
	}
	from, to, _ := filter.Bounds(where, "timestamp")
	return question{
		tool: tool, sources: d.asked(where), asked: spoken(s.TimestampFrom, s.TimestampTo), seal: seal, at: at, wanted: call.Window{From: from, To: to}, today: d.today(),
		query: call.Query{Where: where, Limit: p.PageSize, Scan: d.Scan, Progress: d.progress},
	}, nil
}

func (d Deps) today() string { return d.Now().UTC().Format(time.DateOnly) }

// sealed is a cursor for the one who asks.
func (d Deps) sealed(ctx context.Context, c call.Cursor) string {
	c = d.Held.shorten(c)
	if d.Cursors != nil {
		packed := c.Packed()
		if sealed := d.Cursors.Seal(ctx, packed); sealed != packed {
			return sealed
		}
		return call.CursorText(packed)
	}
	return c.String()
}

// resumed is what a cursor holds that the one who asks was given.
func (d Deps) resumed(ctx context.Context, tool, cursor string) (call.Cursor, error) {
	if d.Cursors == nil {
		return call.ParseCursor(cursor, tool, d.Sources)
	}
	switch opened, ok := d.Cursors.Open(ctx, cursor); {
	case !ok:
		return call.Cursor{}, &call.Error{
			Kind: call.Invalid, Msg: "That cursor is damaged, older than a day, or was given to somebody else.",
			Hint: "Start over without cursor.",
		}
	case opened != cursor:
		return call.UnpackCursor(opened, tool, d.Sources)
	}
	return call.ParseCursor(cursor, tool, d.Sources)
}

// text is the canonical form of e, "" for none.
func text(e filter.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

// asked lists the sources that a filter leaves in.
func (d Deps) asked(where filter.Expr) (names []string) {
	for _, name := range d.Sources {
		if _, ok := filter.Assume(where, "source", name); ok {
			names = append(names, name)
		}
	}
	return names
}

// window is what the query and the source made of the time that was asked for.
func (q question) window(p call.Page) call.Window {
	from, to, _ := filter.Bounds(q.query.Where, "timestamp")
	w := p.Window
	if from.After(w.From) {
		w.From = from
	}
	if !to.IsZero() && (w.To.IsZero() || to.Before(w.To)) {
		w.To = to
	}
	return w
}

// filters is what was asked but the window and the source, which every answer
// names on their own.
func (q question) filters() filter.Expr {
	_, _, rest := filter.Bounds(q.query.Where, "timestamp")
	_, rest = filter.Split(rest, func(e filter.Expr) bool {
		c, ok := e.(filter.Cond)
		return ok && c.Field == "source"
	})
	return rest
}

// pins holds where the question is for one value of a field alone.
func (q question) pins(field string) bool {
	return slices.ContainsFunc(filter.Conjuncts(q.filters()), func(e filter.Expr) bool {
		c, ok := e.(filter.Cond)
		return ok && c.Field == field && c.Op == filter.Eq
	})
}

// cursor is where a walk goes on behind the mark, "" at the end.
func (q question) cursor(p call.Page, after *call.Mark) string {
	if after == nil {
		return ""
	}
	query := q.query
	_, _, query.Where = filter.Bounds(query.Where, "timestamp")
	query.After = after
	return q.seal(call.Cursor{Tool: q.tool, Query: query, Window: q.window(p), Asked: q.wanted, At: q.at, Total: q.known(p)})
}

// known is the total of the whole walk.
func (q question) known(p call.Page) *int {
	if p.Total != nil {
		return p.Total
	}
	return q.total
}

// scope says where was looked, for what, in at most so many characters of
// filter: cekura · success = false.
func (q question) scope(limit int) string {
	parts := []string{strings.Join(q.sources, ", ")}
	if words := filter.Words(q.filters()); words != "" {
		parts = append(parts, render.Clip(render.Clean(words), limit))
	}
	return strings.Join(parts, " · ")
}

// windowWords says the window in UTC: 2026-11-14 00:00 → 2026-11-21 09:12 UTC (now-7d).
func (q question) windowWords(p call.Page) string {
	w := q.window(p)
	if w == (call.Window{}) {
		return "all time"
	}
	s := "→ " + minute(w.To, time.Minute-1) + " UTC"
	if w.To.IsZero() {
		s = "→ now"
	}
	if !w.From.IsZero() {
		s = minute(w.From, 0) + " " + s
	}
	asked := q.asked
	if from, _, _ := filter.Bounds(q.query.Where, "timestamp"); from.IsZero() && !w.From.IsZero() {
		asked = "the source's default"
		if filter.Mentions(q.query.Where, "id") || filter.Mentions(q.query.Where, "call_id") {
			asked = "" // these calls, whenever they were
		}
	}
	if asked != "" {
		s += " (" + render.Clean(asked) + ")"
	}
	return s
}

// minute writes t to the minute, rounded up by up.
func minute(t time.Time, up time.Duration) string {
	return t.Add(up).UTC().Format("2006-01-02 15:04")
}

// coverageWords says how much of what was asked has been looked at.
func (q question) coverageWords(p call.Page) string {
	c := p.Coverage
	switch {
	case c.Complete:
		return "complete" + q.asOf(p)
	case q.isWholeUntil(p):
		return "complete until " + q.clockWords(c.Until) + q.asOf(p)
	}
	s := "incomplete: "
	if missing := render.Clean(strings.Join(c.Missing, ", ")); missing != "" {
		be := " is missing"
		if len(c.Missing) > 1 {
			be = " are missing"
		}
		s += missing + be
		if c.Others {
			return s + q.asOf(p)
		}
		s += "; "
	}
	if c.Calls != nil && *c.Calls > c.Searched {
		s += "read " + thousands(c.Searched) + " of " + countOf(*c.Calls, "call")
	} else {
		s += "read " + countOf(c.Searched, "call")
	}
	if !c.Back.IsZero() {
		s += " (" + readWords(q.query.Order) + ", as far as " + minute(c.Back, 0) + ")"
	}
	return s + q.wayOut(p) + q.asOf(p)
}

// isWholeUntil holds where all is known but what began since the mirror was read.
func (q question) isWholeUntil(p call.Page) bool {
	return !p.Coverage.Until.IsZero() && len(p.Coverage.Missing) == 0
}

// wayOut says how what was not looked at can be, "" where it cannot now.
func (q question) wayOut(p call.Page) string {
	goesOn := p.Next != nil && q.query.Order != call.Relevance
	switch {
	case p.Coverage.Stuck && goesOn:
		return "; go on with the cursor"
	case p.Coverage.Stuck:
		return ""
	case q.tool == "describe_fields":
		return "; aggregate_call_logs counts a shorter window"
	case goesOn:
		return "; narrow the window, or go on with the cursor"
	}
	return "; narrow the window"
}

// asOf says that a copy answered, and when it was true.
func (q question) asOf(p call.Page) string {
	if p.AsOf.IsZero() {
		return ""
	}
	return " (copy as of " + q.clockWords(p.AsOf) + ")"
}

// clockWords writes t, which is in UTC like the window beside it: 08:34 for today,
// and with its date and zone for other days.
func (q question) clockWords(t time.Time) string {
	if q.today == t.UTC().Format(time.DateOnly) {
		return t.UTC().Format("15:04")
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func orderWords(o call.Order) string {
	switch o {
	case "":
		o = call.Newest
	case call.Relevance:
		return "by relevance"
	}
	return string(o) + " first"
}

// readWords is the order in which calls are read to be put in the order o.
func readWords(o call.Order) string {
	if o == call.Relevance {
		o = call.Newest
	}
	return orderWords(o)
}

// thousands writes 48210 as 48,210.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// countOf writes 1 call, 48,210 calls.
func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return thousands(n) + " " + what
}

// A listing is what every list-like answer says as data.
type listing struct {
	Returned   int          `json:"returned"`
	Total      *int         `json:"total,omitempty" jsonschema_description:"Of the whole walk; absent where nobody knows."`
	NextCursor string       `json:"next_cursor,omitempty" trust:"ours"`
	Window     windowData   `json:"window"`
	Filters    string       `json:"filters,omitempty" trust:"ours" jsonschema_description:"Canonical filters_v2, without the window."`
	Coverage   coverageData `json:"coverage"`
	Notes      []string     `json:"notes"`
}

type windowData struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

type coverageData struct {
	CallsInWindow *int       `json:"calls_in_window,omitempty"`
	CallsSearched int        `json:"calls_searched"`
	Complete      bool       `json:"complete"`
	CompleteUntil *time.Time `json:"complete_until,omitempty" jsonschema_description:"All but what began since then was looked at."`
	AsOf          *time.Time `json:"as_of,omitempty" jsonschema_description:"A local copy answered, which was true then."`
}

func (q question) coverage(p call.Page) coverageData {
	c := coverageData{CallsInWindow: p.Coverage.Calls, CallsSearched: p.Coverage.Searched, Complete: p.Coverage.Complete, AsOf: utc(p.AsOf)}
	if !c.Complete && q.isWholeUntil(p) {
		c.CompleteUntil = utc(p.Coverage.Until)
	}
	return c
}

// listing describes the first shown logs of p.
func (q question) listing(d Deps, p call.Page, shown int) listing {
	l := listing{
		Returned: shown, Total: q.known(p), NextCursor: q.cursor(p, q.next(p, shown)),
		Coverage: q.coverage(p),
		Notes:    slices.Clone(p.Notes),
	}
	if d.Sample {
		l.Notes = append(l.Notes, sampleNote)
	}
	if l.Notes == nil {
		l.Notes = []string{}
	}
	if f := q.filters(); f != nil {
		l.Filters = f.String()
	}
	w := q.window(p)
	if !w.From.IsZero() {
		l.Window.From = &w.From
	}
	if !w.To.IsZero() {
		l.Window.To = &w.To
	}
	return l
}

// next is where the walk goes on after the first shown logs of p.
func (q question) next(p call.Page, shown int) *call.Mark {
	if shown < len(p.Logs) {
		if shown == 0 {
			return nil // nothing was shown, so there is nothing to go on behind
		}
		return p.MarkAt(q.query.Order, shown-1)
	}
	return p.Next
}
