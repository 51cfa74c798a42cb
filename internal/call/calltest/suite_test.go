package calltest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

func TestMain(m *testing.M) {
	// The failures below are wanted; they need no smallest example on disk.
	set("rapid.nofailfile", "true")
	set("rapid.shrinktime", "0s")
	os.Exit(m.Run())
}

func set(name, value string) {
	if err := flag.Set(name, value); err != nil {
		panic(err)
	}
}

// A recorder is a tb that keeps what the suite has to say.
type recorder struct {
	mu   sync.Mutex
	said []string
}

func (r *recorder) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, s)
}

func (r *recorder) Helper()                   {}
func (r *recorder) Name() string              { return "recorder" }
func (r *recorder) Log(...any)                {}
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) SkipNow()                  { runtime.Goexit() }
func (r *recorder) Skip(...any)               { r.SkipNow() }
func (r *recorder) Skipf(string, ...any)      { r.SkipNow() }
func (r *recorder) Fail()                     { r.add("failed") }
func (r *recorder) FailNow()                  { r.Fail(); runtime.Goexit() }
func (r *recorder) Error(args ...any)         { r.add(fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, a ...any) { r.add(fmt.Sprintf(f, a...)) }
func (r *recorder) Fatal(args ...any)         { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...); runtime.Goexit() }
func (r *recorder) Failed() bool              { r.mu.Lock(); defer r.mu.Unlock(); return len(r.said) > 0 }
func (r *recorder) run(f func(tb)) (end bool) {
	done := make(chan bool, 1)
	go func() {
		defer close(done)
		f(r)
		done <- true
	}()
	return <-done
}

// suite runs the suite and returns what it finds wrong, by part.
func suite(src call.Source, o Options) map[string][]string { return findings(src, o, len(parts)) }

// findings runs the suite until enough parts found something.
func findings(src call.Source, o Options, enough int) (found map[string][]string) {
	found = map[string][]string{}
	var u *universe
	r := &recorder{}
	if !r.run(func(t tb) { u = learn(t, src, o) }) {
		return map[string][]string{"learn": r.said}
	}
	for _, p := range parts {
		r := &recorder{}
		r.run(func(t tb) { p.check(t, u) })
		if r.Failed() {
			found[p.name] = r.said
		}
		if len(found) == enough {
			break
		}
	}
	return found
}

// A faulty source is a right one with something wrong in it.
type faulty struct {
	*Store
	find func(s *Store, ctx context.Context, q call.Query) (call.Page, error)
	get  func(s *Store, ctx context.Context, id call.ID) (*call.Log, error)
}

func (f faulty) Find(ctx context.Context, q call.Query) (call.Page, error) {
	if f.find == nil {
		return f.Store.Find(ctx, q)
	}
	return f.find(f.Store, ctx, q)
}

func (f faulty) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if f.get == nil {
		return f.Store.Get(ctx, id)
	}
	return f.get(f.Store, ctx, id)
}

type finder = func(s *Store, ctx context.Context, q call.Query) (call.Page, error)

// paged changes what a right source finds.
func paged(change func(q call.Query, p *call.Page)) finder {
	return func(s *Store, ctx context.Context, q call.Query) (call.Page, error) {
		p, err := s.Find(ctx, q)
		if err == nil {
			change(q, &p)
		}
		return p, err
	}
}

// asked changes what a right source is asked.
func asked(change func(q call.Query) call.Query) finder {
	return func(s *Store, ctx context.Context, q call.Query) (call.Page, error) { return s.Find(ctx, change(q)) }
}

// where changes each condition of a filter.
func where(e filter.Expr, change func(filter.Cond) filter.Expr) filter.Expr {
	list := func(parts []filter.Expr) (out []filter.Expr) {
		for _, x := range parts {
			out = append(out, where(x, change))
		}
		return out
	}
	switch e := e.(type) {
	case filter.Cond:
		return change(e)
	case filter.And:
		return filter.And(list(e))
	case filter.Or:
		return filter.Or(list(e))
	case filter.SameRow:
		return filter.SameRow(list(e))
	}
	return e
}

func conds(change func(filter.Cond) filter.Expr) finder {
	return asked(func(q call.Query) call.Query { q.Where = where(q.Where, change); return q })
}

var everything = filter.And{}

var wrongFinds = map[string]finder{
	"drops a log of every next page": paged(func(q call.Query, p *call.Page) {
		if q.After != nil && len(p.Logs) > 1 {
			p.Logs = p.Logs[1:]
		}
	}),
	"skips one at the end of a page": paged(func(_ call.Query, p *call.Page) {
		if p.Next != nil && len(p.Logs) > 1 {
			p.Logs = p.Logs[:len(p.Logs)-1]
		}
	}),
	"repeats one": paged(func(_ call.Query, p *call.Page) {
		if n := len(p.Logs); n > 2 {
			p.Logs[n-1] = p.Logs[n-2]
		}
	}),
	"begins where the page before ended": asked(func(q call.Query) call.Query {
		if q.After != nil {
			q.After = &call.Mark{Value: q.After.Value, ID: call.ID{Source: q.After.ID.Source, Key: q.After.ID.Key + "0"}}
		}
		return q
	}),
	"has no second page": paged(func(_ call.Query, p *call.Page) { p.Next = nil }),
	"never ends":         paged(func(q call.Query, p *call.Page) { p.Next = q.Order.Mark(&call.Log{}) }),
	"sorts shortest as longest": asked(func(q call.Query) call.Query {
		if q.Order == call.Shortest {
			q.Order = call.Longest
		}
		return q
	}),
	"leaves ties as they come": paged(func(q call.Query, p *call.Page) {
		slices.SortStableFunc(p.Logs, func(a, b *call.Log) int {
			if a.StartedAt.Equal(b.StartedAt) {
				return strings.Compare(a.ID.Key, b.ID.Key)
			}
			return q.Order.Compare(a, b)
		})
	}),
	"gives one more than the limit": asked(func(q call.Query) call.Query { q.Limit++; return q }),
	"takes the page for the total":  paged(func(_ call.Query, p *call.Page) { p.Total = new(len(p.Logs)) }),
	"never counts":                  paged(func(_ call.Query, p *call.Page) { p.Total = nil }),
	"never is complete":             paged(func(_ call.Query, p *call.Page) { p.Coverage.Complete = false }),
	"searched more than there is": paged(func(_ call.Query, p *call.Page) {
		if p.Coverage.Calls != nil {
			p.Coverage.Searched = *p.Coverage.Calls + 1
		}
	}),
	"ignores a field": conds(func(c filter.Cond) filter.Expr {
		if c.Field == "topic" {
			return everything
		}
		return c
	}),
	"takes all for mixed case": conds(func(c filter.Cond) filter.Expr {
		if s, ok := c.Value.(string); ok && c.Op == filter.Contains {
			return filter.Or{c, filter.Cond{Field: c.Field, Op: filter.Eq, Value: strings.ToLower(s)}, filter.Cond{Field: c.Field, Op: filter.Neq, Value: s}}
		}
		return c
	}),
	"finds the missing unequal": conds(func(c filter.Cond) filter.Expr {
		if c.Op == filter.Neq {
			return filter.Or{c, filter.Cond{Field: c.Field, Op: filter.IsNull, Value: true}}
		}
		return c
	}),
	"takes gte for gt": conds(func(c filter.Cond) filter.Expr {
		if c.Op == filter.Gt {
			c.Op = filter.Gte
		}
		return c
	}),
	"joins rows that are not the same": asked(func(q call.Query) call.Query { q.Where = loose(q.Where); return q }),
	"hears every role":                 asked(func(q call.Query) call.Query { q.Role = ""; return q }),
	"does not search":                  asked(func(q call.Query) call.Query { q.Text = nil; return q }),
	"miscounts turns": paged(func(_ call.Query, p *call.Page) {
		for i := range p.Hits {
			for k := range p.Hits[i].Turns {
				p.Hits[i].Turns[k]--
			}
		}
	}),
	"does not mind its context": func(s *Store, _ context.Context, q call.Query) (call.Page, error) {
		return s.Find(context.Background(), q)
	},
	"fails with a bare error": func(s *Store, ctx context.Context, q call.Query) (call.Page, error) {
		if err := ctx.Err(); err != nil {
			return call.Page{}, err
		}
		return s.Find(ctx, q)
	},
}

// loose is e with what same_row holds together come apart.
func loose(e filter.Expr) filter.Expr {
	switch e := e.(type) {
	case filter.SameRow:
		return filter.And(e)
	case filter.And:
		out := make(filter.And, len(e))
		for i, x := range e {
			out[i] = loose(x)
		}
		return out
	case filter.Or:
		out := make(filter.Or, len(e))
		for i, x := range e {
			out[i] = loose(x)
		}
		return out
	}
	return e
}

var wrongGets = map[string]func(s *Store, ctx context.Context, id call.ID) (*call.Log, error){
	"knows no call ids": func(s *Store, ctx context.Context, id call.ID) (*call.Log, error) {
		l, err := s.Get(ctx, id)
		if err == nil && l.ID != id {
			return nil, &call.Error{Kind: call.NotFound}
		}
		return l, err
	},
	"answers nothing for the unknown": func(s *Store, ctx context.Context, id call.ID) (*call.Log, error) {
		l, err := s.Get(ctx, id)
		var e *call.Error
		if errors.As(err, &e) && e.Kind == call.NotFound {
			return nil, nil
		}
		return l, err
	},
	"answers the first": func(s *Store, ctx context.Context, id call.ID) (*call.Log, error) {
		if ctx.Err() == nil && id.Key != "no-such-call" {
			return s.logs[0], nil
		}
		return s.Get(ctx, id)
	},
	"forgets the transcript": func(s *Store, ctx context.Context, id call.ID) (*call.Log, error) {
		l, err := s.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		out := *l
		out.Turns = nil
		return &out, nil
	},
}

// The suite is worth what it catches.
func TestSuiteCatches(t *testing.T) {
	const n = 120
	logs := Logs("s", n, 5, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	checks := flag.Lookup("rapid.checks").Value.String()
	set("rapid.checks", "1000") // so that none goes unnoticed
	t.Cleanup(func() { set("rapid.checks", checks) })
	check := func(name string, wrong faulty) {
		wrong.Store = Memory("s", logs)
		found := findings(wrong, Options{Source: "s", Logs: n}, 1)
		assert.NotEmpty(t, found, "a source that %s is let pass", name)
		for part, said := range found {
			t.Logf("%s: %s: %.120s", name, part, strings.Join(said, "; "))
		}
	}
	for name, find := range wrongFinds {
		check(name, faulty{find: find})
	}
	for name, get := range wrongGets {
		check(name, faulty{get: get})
	}
	set("rapid.checks", checks)
	right := Memory("s", logs)
	assert.Empty(t, suite(right, Options{Source: "s", Logs: n, Mutable: right}))
	assert.Contains(t, suite(Memory("s", logs), Options{Source: "s", Logs: n + 1}), "learn")
	assert.Contains(t, suite(Memory("s", logs), Options{Source: "other", Logs: n}), "Shape")
}

// byOffset pages by number, as upstreams do, so that a walk drifts while calls
// come and go.
func byOffset() finder {
	offsets := map[call.Mark]int{}
	var mu sync.Mutex
	return func(s *Store, ctx context.Context, q call.Query) (call.Page, error) {
		mu.Lock()
		defer mu.Unlock()
		size, offset := q.Limit, 0
		if q.After != nil {
			offset = offsets[*q.After]
		}
		if size == 0 {
			size = call.DefaultLimit
		}
		q.After, q.Limit = nil, offset+size
		p, err := s.Find(ctx, q)
		from := min(offset, len(p.Logs))
		p.Logs = p.Logs[from:]
		if p.Hits != nil {
			p.Hits = p.Hits[from:]
		}
		if p.Next != nil {
			offsets[*p.Next] = offset + size
		}
		return p, err
	}
}

func TestSuiteCatchesDrift(t *testing.T) {
	src := faulty{Store: Memory("s", Logs("s", 150, 5, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))), find: byOffset()}
	assert.NotContains(t, suite(src, Options{Logs: 150}), "Arrivals")
	src.find = byOffset()
	assert.Contains(t, suite(src, Options{Logs: 150, Mutable: src.Store}), "Arrivals")
}

// A page that is kept and handed out again is changed by its readers.
func TestSuiteCatchesSharing(t *testing.T) {
	kept := map[string]call.Page{}
	var mu sync.Mutex
	src := faulty{find: func(s *Store, ctx context.Context, q call.Query) (call.Page, error) {
		mu.Lock()
		defer mu.Unlock()
		if p, ok := kept[say(q)]; ok && ctx.Err() == nil {
			return p, nil
		}
		p, err := s.Find(ctx, q)
		if err == nil {
			kept[say(q)] = p
		}
		return p, err
	}}
	src.Store = Memory("s", Logs("s", 50, 5, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)))
	assert.Contains(t, suite(src, Options{Logs: 50}), "Unshared")
}
