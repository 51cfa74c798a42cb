package cekura

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

const (
	day         = 24 * time.Hour
	defaultSpan = 30 * day  // of a question without a range, as the API has it
	idSpan      = 180 * day // of a question for ids without a range
	maxFilter   = 6000      // bytes of filters_v2; a URL of 8 KiB is refused by many servers
	maxIDs      = 400
)

// A plan is a Query as the API can hear it. For the rows that the API knows,
// the params and rest together mean the Query's Where; so do check and rest.
type plan struct {
	params url.Values
	pushed []filter.Expr // what filters_v2 says, in the Query's words
	check  filter.Expr   // what was pushed and rows can confirm
	rest   filter.Expr   // what was not pushed
	blind  []string      // fields that the API was asked for and rows lack

	blindPush bool // some of blind is in filters_v2
	never     bool // no call of this source can match
	confined  bool // rows have to prove where they are from
	ids       int  // how many ids are asked for, if they are

	from, to time.Time   // both included
	window   call.Window // the same, as the caller put it
	notes    []string
}

// plan divides q.Where. A deaf API is asked without filters_v2.
func (s *source) plan(q call.Query, deaf bool) (*plan, error) {
	p := &plan{params: url.Values{}, confined: q.Within != nil}
	where := fold(q.Where, func(c filter.Cond) (bool, bool) { return s.constant(c, p) })
	if or, ok := where.(filter.Or); ok && len(or) == 0 {
		p.never = true
	}
	from, to, where := filter.Bounds(where, "timestamp")
	p.from, p.to, p.window = from, to, call.Window{From: from, To: to}
	for _, x := range filter.Conjuncts(where) {
		if p.tighten(x) || s.parameter(p, x) {
			continue
		}
		if err := s.filter(p, x, deaf); err != nil {
			return nil, err
		}
	}
	if deaf {
		p.notes = append(p.notes, s.name+" refused the filter; it was applied here")
	}
	s.scope(p)
	s.pin(p)
	p.encode()
	return p, nil
}

// tighten takes gt and lt of the timestamp, which Bounds leaves, as bounds: the
// API's times have microseconds, so the next one is as far as the bound goes.
func (p *plan) tighten(x filter.Expr) bool {
	c, ok := x.(filter.Cond)
	t, isTime := c.Value.(time.Time)
	if !ok || !isTime || c.Field != "timestamp" {
		return false
	}
	switch c.Op {
	case filter.Gt:
		if t = t.Truncate(time.Microsecond).Add(time.Microsecond); t.After(p.from) {
			p.from = t
		}
	case filter.Lt:
		if t = t.Add(-time.Nanosecond).Truncate(time.Microsecond); p.to.IsZero() || t.Before(p.to) {
			p.to = t
		}
	default:
		return false
	}
	return true
}

// parameter takes what the API has a parameter of its own for.
func (s *source) parameter(p *plan, x filter.Expr) bool {
	c, ok := x.(filter.Cond)
	if !ok || c.Op != filter.Eq && c.Op != filter.In {
		return false
	}
	name, most := "", 1
	switch c.Field {
	case "agent.id":
		name = "agent_id"
	case "project_id":
		name = "project_id"
	case "assistant_id":
		name = "assistant_id"
	case "id":
		name, most = "call_ids", maxIDs
	}
	var values []string
	for _, v := range operands(c) {
		v := plain(v)
		if c.Field == "assistant_id" && v != "" || isInteger(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if name == "" || len(values) == 0 || len(values) > most || p.params.Has(name) {
		return false
	}
	p.params.Set(name, strings.Join(values, ","))
	switch c.Field {
	case "id":
		p.ids = len(values)
	case "assistant_id":
		p.blind = append(p.blind, c.Field)
	}
	p.check = filter.All(p.check, x)
	return true
}

// filter takes a conjunct into filters_v2 if the API understands it, and into
// rest if rows can answer it.
func (s *source) filter(p *plan, x filter.Expr, deaf bool) error {
	lack := s.lacking(x)
	_, heard := hear(x)
	if wide, ok := wider(x); ok && !deaf {
		p.pushed, p.rest = append(p.pushed, wide), filter.All(p.rest, x)
		return nil
	}
	switch {
	case heard && lack == "":
		if deaf {
			p.rest = filter.All(p.rest, x)
			return nil
		}
		p.pushed = append(p.pushed, x)
		p.check = filter.All(p.check, x)
	case heard:
		p.pushed = append(p.pushed, x)
		p.blind, p.blindPush = append(p.blind, lack), true
	case lack == "":
		p.rest = filter.All(p.rest, x)
	default:
		return unheard(s.name, lack, x)
	}
	return nil
}

// errUnheard is what the errors of unheard wrap.
var errUnheard = errors.New("cekura: a condition that neither the API nor its rows can answer")

func isUnheard(err error) bool { return errors.Is(err, errUnheard) }

// maxAlternatives bounds the questions that one becomes.
const maxAlternatives = 16

// alternatives are filters that together are where, without an or that neither
// the API nor its rows can answer whole: each of its parts may be one that either
// can. They are nil where there is none, or too many.
func (s *source) alternatives(where filter.Expr) (parts []filter.Expr) {
	all := filter.Conjuncts(where)
	at := slices.IndexFunc(all, func(x filter.Expr) bool {
		or, ok := x.(filter.Or)
		_, heard := hear(x)
		return ok && len(or) > 1 && !heard && s.lacking(x) != ""
	})
	if at < 0 {
		return nil
	}
	for _, x := range s.sorted(all[at].(filter.Or)) {
		one := filter.All(slices.Concat(all[:at:at], []filter.Expr{x}, all[at+1:])...)
		if more := s.alternatives(one); more != nil {
			parts = append(parts, more...)
		} else {
			parts = append(parts, one)
		}
		if len(parts) > maxAlternatives {
			return nil
		}
	}
	return parts
}

// sorted puts together those parts of or that the API can answer, and those that
// its rows can.
func (s *source) sorted(or filter.Or) (parts []filter.Expr) {
	var told, read filter.Or
	for _, x := range or {
		switch _, heard := hear(x); {
		case heard:
			told = append(told, x)
		case s.lacking(x) == "":
			read = append(read, x)
		default:
			parts = append(parts, x)
		}
	}
	for _, some := range []filter.Or{told, read} {
		switch len(some) {
		case 0:
		case 1:
			parts = append(parts, some[0])
		default:
			parts = append(parts, some)
		}
	}
	return parts
}

// unheard explains a condition that neither the API nor its rows can answer.
func unheard(name, field string, x filter.Expr) error {
	e := &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("%s cannot filter by %s.", name, filter.Words(x)), Err: errUnheard}
	switch {
	case field == "assistant_id":
		e.Hint = "It can be asked for assistant_id eq one value."
	case field == "project_id":
		e.Hint = "It can be asked for project_id eq one integer."
	case strings.HasPrefix(field, "metadata."):
		e.Hint = "Its lists carry no metadata, so it can be asked for metadata.KEY with eq, neq, contains, startswith, in or isnull only."
	default:
		e.Hint = "Its lists carry no dynamic variables, and it does not filter by them. Narrow by other fields and read single calls with get_call_log."
	}
	return e
}

// scope adds the configured project and agent where the Query names none.
func (s *source) scope(p *plan) {
	if s.o.ProjectID != "" && !p.params.Has("project_id") {
		p.params.Set("project_id", s.o.ProjectID)
	}
	if len(s.o.AgentIDs) != 1 || p.params.Has("agent_id") {
		return
	}
	for c := range filter.Conds(filter.All(append(p.pushed, p.rest)...)) {
		if c.Field == "agent.id" {
			return
		}
	}
	p.params.Set("agent_id", strings.TrimSpace(s.o.AgentIDs[0]))
}

// pin makes the window absolute, so that a walk over several pages is about the
// same calls.
func (s *source) pin(p *plan) {
	now := s.now().UTC()
	if p.to.IsZero() {
		p.to = now.Add(time.Second - 1).Truncate(time.Second)
		p.window.To = p.to
	}
	if p.from.IsZero() {
		span := defaultSpan
		if p.ids > 0 {
			span = idSpan
		}
		p.from = p.to.Add(-span)
		p.window.From = p.from
	}
	if oldest := p.to.Add(-maxSlices * s.span()); p.from.Before(oldest) {
		p.from, p.window.From = oldest, oldest
		p.notes = append(p.notes, fmt.Sprintf("%s is read back to %s at most in one question", s.name, oldest.Format(time.DateOnly)))
	}
	// Nothing is in the future, but clocks differ.
	if soon := now.Add(day); p.to.After(soon) && p.from.Before(soon) {
		p.to = soon
	}
	p.never = p.never || p.from.After(p.to)
}

// within is the window as a filter. Rows without a time have been found in it
// by the API, so they pass.
func (p *plan) within() filter.Expr {
	return filter.Or{
		filter.Within("timestamp", p.from, p.to),
		filter.Cond{Field: "timestamp", Op: filter.IsNull, Value: true},
	}
}

// encode writes filters_v2. What makes it too long, and rows can answer, is
// left to us.
func (p *plan) encode() {
	var parts []filter.Expr
	size := 0
	for _, x := range p.pushed {
		told, _ := hear(x)
		if size += len(url.QueryEscape(told.String())); size > maxFilter && !p.blindPush {
			p.rest = filter.All(p.rest, x)
			_, p.check = filter.Split(p.check, func(e filter.Expr) bool { return e.String() == x.String() }) // it was not asked for
			continue
		}
		parts = append(parts, told)
	}
	if told := filter.All(parts...); told != nil {
		p.params.Set("filters_v2", told.String())
	}
}

// request is the params of one page.
func (p *plan) request(from, to time.Time, page, size int) url.Values {
	v := url.Values{}
	for name, values := range p.params {
		v[name] = values
	}
	v.Set("timestamp_from", stamp(from.Add(time.Microsecond-1)))
	v.Set("timestamp_to", stamp(to))
	v.Set("page", fmt.Sprint(page))
	v.Set("page_size", fmt.Sprint(size))
	return v
}

// stamp writes a time to the microsecond, which is the API's grain, and whole
// seconds without a fraction.
func stamp(t time.Time) string {
	return t.UTC().Truncate(time.Microsecond).Format("2006-01-02T15:04:05.999999Z07:00")
}

// adopt gives rows what the question already said about them, and what lists do
// not tell: the assistant, and the project where the API applies that. The agent
// is told: a row without one is not taken for a row of the one that was asked for.
func (s *source) adopt(ctx context.Context, p *plan, query url.Values, logs []*call.Log) error {
	if err := s.place(ctx, p, query, logs); err != nil {
		return err
	}
	for _, l := range logs {
		l.AssistantID = cmp.Or(l.AssistantID, p.params.Get("assistant_id"))
		l.DashboardURL = dashboard(l)
	}
	return nil
}
