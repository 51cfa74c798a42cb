package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"call-logs-mcp/internal/filter"
)

// A Confinement is what the operator configured a source to read. The zero
// value is everything that its key may read.
type Confinement struct {
	Project string
	Agents  []string // none for all
}

// Where is the confinement as a condition on every call; nil for everything.
func (c Confinement) Where() filter.Expr {
	var project, agents filter.Expr
	if c.Project != "" {
		project = filter.Cond{Field: "project_id", Op: filter.Eq, Value: c.Project}
	}
	if ids := c.agents(); len(ids) > 0 {
		agents = oneOf(ids)
	}
	return filter.All(project, agents)
}

// String is the same for the same calls, whatever the order of the agents.
func (c Confinement) String() string {
	if where := c.Where(); where != nil {
		return where.String()
	}
	return ""
}

func (c Confinement) agents() []string {
	ids := make([]string, 0, len(c.Agents))
	for _, id := range c.Agents {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func oneOf(agents []string) filter.Expr {
	if len(agents) == 1 {
		return filter.Cond{Field: "agent.id", Op: filter.Eq, Value: agents[0]}
	}
	values := make([]any, len(agents))
	for i, id := range agents {
		values[i] = id
	}
	return filter.Cond{Field: "agent.id", Op: filter.In, Value: values}
}

// narrow is where as it is asked within c, false where nothing in c can match.
// The confinement stands first, so that a source which can push one condition on
// a field pushes this one.
func (c Confinement) narrow(where filter.Expr) (filter.Expr, bool) {
	var project, agent filter.Expr
	if c.Project != "" {
		left, ok := filter.Assume(where, "project_id", c.Project)
		if !ok {
			return nil, false
		}
		project, where = Confinement{Project: c.Project}.Where(), left
	}
	if ids := c.agents(); len(ids) > 0 {
		ids = slices.DeleteFunc(ids, func(id string) bool {
			_, ok := filter.Assume(where, "agent.id", id)
			return !ok
		})
		if len(ids) == 0 {
			return nil, false
		}
		if len(ids) == 1 {
			where, _ = filter.Assume(where, "agent.id", ids[0])
		}
		agent = oneOf(ids)
	}
	return filter.All(project, agent, where), true
}

// Confine is src, whose calls carry the name, within c: every question is
// narrowed to it, and every row and record is checked on arrival. A call outside
// is answered as one that does not exist. A record of another call than the one
// that was asked for is never answered, whatever c is.
func Confine(src Source, name string, c Confinement) Source {
	return confined{src, name, c}
}

type confined struct {
	Source
	name string
	to   Confinement
}

// Find implements Source.
func (c confined) Find(ctx context.Context, q Query) (Page, error) {
	where, ok := c.to.narrow(q.Where)
	if !ok {
		from, to, _ := filter.Bounds(q.Where, "timestamp")
		return Page{
			Window: Window{from, to}, Total: new(int), Coverage: Coverage{Calls: new(int), Complete: true},
			Notes: []string{fmt.Sprintf("%s is configured to read calls with %s alone", c.name, filter.Words(c.to.Where()))},
		}, nil
	}
	q.Where, q.Within = where, c.to.Where()
	p, err := c.Source.Find(ctx, q)
	if err != nil {
		return Page{}, err
	}
	c.check(&p, q)
	return p, nil
}

// check takes out of p what a source may not have taken out itself.
func (c confined) check(p *Page, q Query) {
	logs, hits := []*Log{}, []Hit(nil)
	for i, l := range p.Logs {
		if l.ID.Source != c.name || !filter.Match(q.Within, l) {
			continue
		}
		logs = append(logs, l)
		if p.Hits != nil {
			hits = append(hits, p.Hits[i])
		}
	}
	if n := len(p.Logs) - len(logs); n > 0 {
		p.Logs, p.Hits = logs, hits
		p.Total, p.Coverage.Calls = nil, nil
		p.Coverage.Searched = max(0, p.Coverage.Searched-n)
		p.Notes = append(p.Notes, outside(c.name, n, q.Within))
	}
}

// outside says that a source sent calls that it was not asked for.
func outside(source string, n int, within filter.Expr) string {
	what := fmt.Sprintf("%d calls", n)
	if n == 1 {
		what = "1 call"
	}
	if within == nil {
		return fmt.Sprintf("%s sent %s of another source; left out", source, what)
	}
	return fmt.Sprintf("%s sent %s outside of %s; left out", source, what, filter.Words(within))
}

// Get implements Source.
func (c confined) Get(ctx context.Context, id ID) (*Log, error) {
	l, err := c.Source.Get(ctx, id)
	var e *Error
	switch {
	case err == nil && (l.ID.Source != c.name || !l.hasName(id.Key)):
		return nil, c.none(id, errors.New("the record is of another call"))
	case err == nil && !filter.Match(c.to.Where(), l):
		return nil, c.none(id, errors.New("the call is outside of what the source is configured to read"))
	case c.to.Where() != nil && errors.As(err, &e) && e.Kind == NotFound:
		return nil, c.none(id, err) // what looking for it took may tell of the calls outside
	}
	return l, err
}

// hasName reports that key is a name of the call at its source: its key, the
// provider's id, or the uuid beside it that some providers have.
func (l *Log) hasName(key string) bool {
	return l.ID.Key == key || l.CallID == key || l.Metadata[UUIDKey] == key
}

// UUIDKey is the key of Log.Metadata for a provider's second name of a call.
const UUIDKey = "uuid"

func (c confined) none(id ID, cause error) error {
	return &Error{
		Kind: NotFound, Msg: fmt.Sprintf("%s has no call %.80q.", c.name, id.Key),
		Hint: "Ids come from list_call_logs and search_transcripts.", Err: cause,
	}
}
