package call_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

// found is a source that finds what a function says.
type found func(ctx context.Context, q call.Query) (call.Page, error)

func (f found) Find(ctx context.Context, q call.Query) (call.Page, error) { return f(ctx, q) }
func (f found) Get(context.Context, call.ID) (*call.Log, error) {
	return nil, &call.Error{Kind: call.NotFound}
}

func broken(msg string) found {
	return func(context.Context, call.Query) (call.Page, error) {
		return call.Page{}, &call.Error{Kind: call.Unavailable, Msg: msg}
	}
}

// hanging answers when it is told to stop, as all sources do.
func hanging(ctx context.Context, _ call.Query) (call.Page, error) {
	<-ctx.Done()
	return call.Page{}, call.Stopped(ctx.Err())
}

// of is a call of a source.
func of(source, key string, n int) *call.Log {
	l := at(key, n)
	l.ID.Source = source
	return l
}

// mutables deletes and inserts where an id says.
type mutables map[string]*calltest.Store

func (m mutables) Insert(like call.ID, at time.Time) { m[like.Source].Insert(like, at) }
func (m mutables) Delete(id call.ID)                 { m[id.Source].Delete(id) }

func TestMergeIsASource(t *testing.T) {
	stores := mutables{}
	sources := map[string]call.Source{}
	for i, name := range []string{"cekura", "telzino", "zudu"} {
		stores[name] = calltest.Memory(name, calltest.Logs(name, 40+10*i, uint64(i), end))
		sources[name] = stores[name]
	}
	sources["idle"] = calltest.Memory("idle", nil)
	calltest.TestSource(t, call.Merge(sources, 0), calltest.Options{Logs: 150, Mutable: stores})
	one := calltest.Memory("one", calltest.Logs("one", 60, 4, end))
	calltest.TestSource(t, call.Merge(map[string]call.Source{"one": one}, 0), calltest.Options{Source: "one", Logs: 60, Mutable: one})
}

func TestMaskedIsASource(t *testing.T) {
	store := calltest.Memory("s", calltest.Logs("s", 60, 4, end))
	src := call.Masked(store, always(view(itself, itself)))
	calltest.TestSource(t, src, calltest.Options{Source: "s", Logs: 60, Mutable: store})

	logs := []*call.Log{said("charged twice")}
	logs[0].ID = call.ID{Source: "s", Key: "1"}
	hidden := view(func(s string) string { return strings.ReplaceAll(s, "twice", "•") }, itself)
	hidden.Hides = true
	src = call.Masked(calltest.Memory("s", logs), always(hidden))
	p, err := src.Find(context.Background(), call.Query{Text: parseText(t, "charged")})
	require.NoError(t, err)
	assert.Equal(t, "charged •", p.Logs[0].Turns[0].Text)
	p, err = src.Find(context.Background(), call.Query{Text: parseText(t, "twice")})
	require.NoError(t, err)
	assert.Empty(t, p.Logs, "what is hidden is not found")
	l, err := src.Get(context.Background(), logs[0].ID)
	require.NoError(t, err)
	assert.Equal(t, "charged •", l.Turns[0].Text)
}

func TestMergeWithoutOne(t *testing.T) {
	ctx := context.Background()
	a := calltest.Memory("a", []*call.Log{of("a", "1", 1), of("a", "2", 2)})
	p, err := call.Merge(map[string]call.Source{"a": a, "b": broken("b is down.")}, 0).Find(ctx, call.Query{})
	require.NoError(t, err)
	assert.Equal(t, "2 1", keys(p.Logs))
	assert.Equal(t, []string{"Calls of b are missing: b is down."}, p.Notes)
	assert.Nil(t, p.Total, "nobody knows how many b has")
	assert.Equal(t, call.Coverage{Searched: 2, Missing: []string{"b"}, Others: true, Stuck: true}, p.Coverage, "all of a was read")

	unread := found(func(_ context.Context, q call.Query) (call.Page, error) {
		l := of("c", "3", 3)
		return call.Page{Logs: []*call.Log{l}, Next: q.Order.Mark(l)}, nil
	})
	p, err = call.Merge(map[string]call.Source{"a": a, "b": broken("b is down."), "c": unread}, 0).Find(ctx, call.Query{})
	require.NoError(t, err)
	assert.Equal(t, []string{"b"}, p.Coverage.Missing)
	assert.False(t, p.Coverage.Complete || p.Coverage.Others, "c was not read to its end")

	counted, err := call.Count(ctx, call.Merge(map[string]call.Source{"a": a, "b": broken("b is down.")}, 0), call.Aggregation{
		Where: filter.Within("timestamp", end, end.Add(time.Hour)), Previous: true,
	})
	require.NoError(t, err)
	assert.Equal(t, call.Coverage{Searched: 2, Missing: []string{"b"}, Others: true, Stuck: true}, counted.Coverage)

	_, err = call.Merge(map[string]call.Source{"x": broken("x is down."), "b": broken("b is down.")}, 0).Find(ctx, call.Query{})
	assert.EqualError(t, err, "No source could be read. b: b is down. x: x is down.", "each by name")

	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = call.Merge(map[string]call.Source{"a": a, "b": calltest.Memory("b", nil)}, 0).Find(canceled, call.Query{})
	require.Error(t, err)
}

func TestMergeIsPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		a := calltest.Memory("a", []*call.Log{of("a", "1", 1)})
		p, err := call.Merge(map[string]call.Source{"a": a, "slow": found(hanging)}, 0).Find(t.Context(), call.Query{})
		require.NoError(t, err)
		assert.Equal(t, []string{"Calls of slow are missing: slow did not answer within 20s."}, p.Notes)
		assert.Equal(t, "1", keys(p.Logs))
		assert.Equal(t, 20*time.Second, time.Since(begin))

		begin = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = call.Merge(map[string]call.Source{"slow": found(hanging)}, 0).Find(ctx, call.Query{})
		require.Error(t, err)
		assert.Equal(t, time.Minute, time.Since(begin), "alone, it may take all the time there is")
	})
}

func TestMergeAnswersForSource(t *testing.T) {
	var asked map[string]filter.Expr
	spy := func(name string) found {
		return func(_ context.Context, q call.Query) (call.Page, error) {
			asked[name] = q.Where
			return call.Page{Total: new(0), Coverage: call.Coverage{Complete: true}}, nil
		}
	}
	m := call.Merge(map[string]call.Source{"a": spy("a"), "b": spy("b")}, 0)
	failed := `{"field":"success","op":"eq","value":false}`
	reviewed := `{"field":"is_reviewed","op":"eq","value":true}`
	for _, c := range []struct{ where, a, b string }{
		{`{"field":"source","op":"eq","value":"a"}`, "all", "-"},
		{`{"field":"source","op":"neq","value":"a"}`, "-", "all"},
		{`{"field":"source","op":"in","value":["a","b"]}`, "all", "all"},
		{`{"field":"source","op":"eq","value":"c"}`, "-", "-"},
		{failed, failed, failed},
		{`[` + failed + `,{"field":"source","op":"eq","value":"b"}]`, "-", failed},
		{`{"or":[` + failed + `,{"field":"source","op":"eq","value":"b"}]}`, failed, "all"},
		{`{"or":[[` + failed + `,{"field":"source","op":"eq","value":"a"}],[` + reviewed + `,{"field":"source","op":"eq","value":"b"}]]}`, failed, reviewed},
		{`{"or":[{"field":"source","op":"eq","value":"c"},{"field":"source","op":"eq","value":"d"}]}`, "-", "-"},
	} {
		asked = map[string]filter.Expr{}
		where, err := filter.Parse([]byte(c.where), call.Fields(), filter.Clock{})
		require.NoError(t, err)
		// One source after the other, so that the spies need no lock.
		for name, want := range map[string]string{"a": c.a, "b": c.b} {
			one := call.Merge(map[string]call.Source{name: spy(name)}, 0)
			p, err := one.Find(context.Background(), call.Query{Where: where})
			require.NoError(t, err)
			assert.True(t, p.Coverage.Complete)
			assert.Equal(t, new(0), p.Total)
			got, ok := asked[name]
			switch {
			case !ok:
				assert.Equal(t, "-", want, c.where)
			case got == nil:
				assert.Equal(t, "all", want, c.where)
			default:
				assert.Equal(t, want, got.String(), c.where)
			}
		}
	}
	assert.Equal(t, []string{"a", "b"}, m.Sources())
}

// What lies behind the first source that stopped early is nobody's yet: it may
// hold calls before those that the others already found.
func TestMergeStopsAtTheNearestNext(t *testing.T) {
	stopped := func(source string, back int, logs ...*call.Log) found {
		return func(_ context.Context, q call.Query) (call.Page, error) {
			p := call.Page{Logs: logs, Next: q.Order.Mark(of(source, "0", back)), Coverage: call.Coverage{Searched: 5}}
			p.Coverage.Back = q.Order.Time(p.Next)
			return p, nil
		}
	}
	m := call.Merge(map[string]call.Source{
		"a": stopped("a", 6, of("a", "9", 9)),
		"b": stopped("b", 4, of("b", "8", 8), of("b", "5", 5)),
		"c": calltest.Memory("c", []*call.Log{of("c", "7", 7), of("c", "1", 1)}),
	}, 0)
	p, err := m.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	assert.Equal(t, "9 8 7", keys(p.Logs))
	assert.Equal(t, of("a", "0", 6).ID, p.Next.ID)
	assert.False(t, p.Coverage.Complete)
	assert.Equal(t, 12, p.Coverage.Searched)
	assert.Equal(t, end.Add(6*time.Second), p.Coverage.Back, "all have looked back to here")

	p, err = m.Find(context.Background(), call.Query{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, "8", p.Next.ID.Key, "the limit comes before the horizon")

	m = call.Merge(map[string]call.Source{"a": stopped("a", 6), "b": stopped("b", 4)}, 0)
	p, err = m.Find(context.Background(), call.Query{Order: call.Oldest})
	require.NoError(t, err)
	assert.Equal(t, end.Add(4*time.Second), p.Coverage.Back, "oldest first, all have looked up to here")
}

func TestMergeJoinsWindows(t *testing.T) {
	in := func(from, to time.Time) found {
		return func(context.Context, call.Query) (call.Page, error) {
			return call.Page{Window: call.Window{From: from, To: to}, Coverage: call.Coverage{Complete: true}}, nil
		}
	}
	hour := func(n int) time.Time { return end.Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct{ a, b, want call.Window }{
		{call.Window{From: hour(1), To: hour(3)}, call.Window{From: hour(2), To: hour(4)}, call.Window{From: hour(1), To: hour(4)}},
		{call.Window{}, call.Window{From: hour(2), To: hour(4)}, call.Window{From: hour(2), To: hour(4)}},
		{call.Window{To: hour(3)}, call.Window{From: hour(2), To: hour(4)}, call.Window{To: hour(4)}},
	} {
		m := call.Merge(map[string]call.Source{"a": in(c.a.From, c.a.To), "b": in(c.b.From, c.b.To)}, 0)
		p, err := m.Find(context.Background(), call.Query{})
		require.NoError(t, err)
		assert.Equal(t, c.want, p.Window)
	}
}

func TestMergeGet(t *testing.T) {
	m := call.Merge(map[string]call.Source{"cekura": calltest.Memory("cekura", []*call.Log{of("cekura", "1", 1)}), "zudu": calltest.Memory("zudu", nil)}, 0)
	l, err := m.Get(context.Background(), call.ID{Source: "cekura", Key: "1"})
	require.NoError(t, err)
	assert.Equal(t, "cekura/1", l.ID.String())
	_, err = m.Get(context.Background(), call.ID{Source: "cekurra", Key: "1"})
	assert.EqualError(t, err, `No source "cekurra". Did you mean cekura? Sources: cekura, zudu.`)
}

func always(v *call.View) func(context.Context) *call.View {
	return func(context.Context) *call.View { return v }
}

// Together, sources that copies answer for are complete until where the first of
// them ends, unless one lacks more than its end.
func TestMergeUntil(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 20, 9, minute, 0, 0, time.UTC) }
	all, early, late, holes := call.Coverage{Complete: true}, call.Coverage{Until: at(10)}, call.Coverage{Until: at(20)}, call.Coverage{}
	for _, c := range []struct {
		a, b call.Coverage
		want time.Time
	}{
		{all, all, time.Time{}}, {all, early, at(10)}, {early, all, at(10)}, {late, early, at(10)}, {early, late, at(10)},
		{early, holes, time.Time{}}, {holes, early, time.Time{}}, {all, holes, time.Time{}},
	} {
		covering := func(c call.Coverage) call.Source {
			return found(func(context.Context, call.Query) (call.Page, error) { return call.Page{Coverage: c}, nil })
		}
		p, err := call.Merge(map[string]call.Source{"a": covering(c.a), "b": covering(c.b)}, 0).Find(t.Context(), call.Query{})
		require.NoError(t, err)
		assert.Equal(t, c.want, p.Coverage.Until, "%v and %v", c.a, c.b)
	}
}
