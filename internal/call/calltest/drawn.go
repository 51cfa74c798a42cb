package calltest

import (
	"reflect"
	"slices"

	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// checkFilters asks random filters and compares with filter.Match.
func checkFilters(t tb, u *universe) {
	words := u.vocabulary()
	rapid.Check(t, func(t *rapid.T) {
		q := call.Query{
			Where: words.filter(t),
			Order: rapid.SampledFrom(orders).Draw(t, "order"),
			Limit: u.o.Logs + 1,
		}
		u.checkMatches(t, q)
	})
}

// checkTexts asks random full-text queries, some with a filter, and compares
// with Text.Match.
func checkTexts(t tb, u *universe) {
	words := u.vocabulary()
	if len(words.spoken) == 0 {
		t.Log("no turn of any log holds words, so nothing can be searched")
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		q := call.Query{
			Text:  words.text(t),
			Role:  rapid.SampledFrom([]call.Role{"", "", "", call.RoleAgent, call.RoleCaller, call.RoleTool}).Draw(t, "role"),
			Order: rapid.SampledFrom(orders[:2]).Draw(t, "order"),
			Limit: u.o.Logs + 1,
		}
		if rapid.IntRange(0, 2).Draw(t, "filtered") == 0 {
			q.Where = words.filter(t)
		}
		u.checkMatches(t, q)
	})
}

// checkMatches holds the answer to q against the universe: which logs, in which
// order, with which hits, and how many.
func (u *universe) checkMatches(t tb, q call.Query) {
	t.Helper()
	var want []*call.Log
	var wantHits []call.Hit
	for _, l := range u.ordered(q.Order) {
		if !filter.Match(q.Where, l) {
			continue
		}
		if q.Text != nil {
			hit, ok := q.Text.Match(l, q.Role)
			if !ok {
				continue
			}
			wantHits = append(wantHits, hit)
		}
		want = append(want, l)
	}
	got, hits := u.all(t, q)
	same(t, say(q), want, got)
	for i := range hits {
		if i < len(wantHits) && !slices.Equal(hits[i].Turns, wantHits[i].Turns) {
			t.Errorf("%s: %s matches in turns %v, want %v", say(q), got[i].ID, hits[i].Turns, wantHits[i].Turns)
		}
	}
	u.checkCounts(t, q, len(want))
}

// checkCounts asks q for its number alone.
func (u *universe) checkCounts(t tb, q call.Query, want int) {
	t.Helper()
	q.Limit, q.Exhaust = 2, true
	q.Scan = max(call.DefaultScan, 2*u.o.Logs)
	p := u.page(t, q)
	c := p.Coverage
	switch {
	case !c.Complete:
		t.Errorf("%s, exhausted: not everything was looked at", say(q))
	case p.Total == nil:
		t.Errorf("%s, exhausted: no total, want %d", say(q), want)
	case *p.Total != want:
		t.Errorf("%s, exhausted: total %d, want %d", say(q), *p.Total, want)
	case c.Calls != nil && *c.Calls < want:
		t.Errorf("%s: %d match of %d calls", say(q), want, *c.Calls)
	case c.Calls != nil && c.Searched > *c.Calls:
		t.Errorf("%s: %d were searched of %d calls", say(q), c.Searched, *c.Calls)
	case p.Next == nil && want > len(p.Logs):
		t.Errorf("%s: no Next behind %d of %d", say(q), len(p.Logs), want)
	}
}

// A vocabulary is what the logs of a universe hold, to ask for.
type vocabulary struct {
	fields []filter.Field
	values map[string][]any
	spoken []string
}

// seen bounds how many values of one field are remembered.
const seen = 60

func (u *universe) vocabulary() *vocabulary {
	v := &vocabulary{values: map[string][]any{}}
	for _, f := range call.Fields() {
		if slices.Contains(u.o.Unanswered, f.Name) {
			continue
		}
		for _, name := range u.spell(f.Name) {
			f.Name = name
			v.values[name] = u.values(name)
			if len(v.values[name]) > 0 || slices.Contains(f.Can(), filter.IsNull) {
				v.fields = append(v.fields, f)
			}
		}
	}
	for i := 0; i < len(u.logs); i += len(u.logs)/seen + 1 {
		for _, turn := range u.logs[i].Turns {
			v.spoken = append(v.spoken, turn.Text)
			if turn.Tool != nil {
				v.spoken = append(v.spoken, turn.Tool.Name, turn.Tool.Args, turn.Tool.Result)
			}
		}
	}
	v.spoken = slices.DeleteFunc(v.spoken, func(s string) bool { return !hasWords(s) })
	return v
}

func hasWords(s string) bool {
	_, err := call.ParseText(s)
	return err == nil
}

// values are different ones of a field, from logs all over the universe.
func (u *universe) values(field string) (out []any) {
	for i := 0; i < len(u.logs) && len(out) < seen; i += len(u.logs)/(4*seen) + 1 {
		for _, value := range u.logs[i].Values(field) {
			if value != nil && !slices.ContainsFunc(out, func(x any) bool { return reflect.DeepEqual(x, value) }) {
				out = append(out, value)
			}
		}
	}
	return out
}
