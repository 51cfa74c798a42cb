package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

var _ call.Aggregator = (*Store)(nil)

// Aggregate counts as call.AggregateLogs does.
func (s *Store) Aggregate(ctx context.Context, a call.Aggregation) (out call.Aggregate, err error) {
	if hidden(a.View) && a.View != s.view {
		return out, fmt.Errorf("store: it was indexed for another view")
	}
	err = s.answer(ctx, false, func(c *conn) error {
		return c.snapshot(func() error {
			a := a
			a.Where = s.own(a.Where)
			need := map[string]bool{}
			for _, x := range parts(a.Where) {
				tested(x, need)
			}
			for _, g := range a.By {
				if evaluated(g) != nil {
					need[evaluationsColumn] = true
				}
				if col, ok := columns[g.Field]; ok && g.Unit == "" && (col.kind == coded || col.kind == named) {
					need[col.name] = true
				}
			}
			r, unlock, err := s.current(c, keysOf(need))
			if err != nil {
				return err
			}
			defer unlock()
			shift, err := c.int(`SELECT value FROM meta WHERE name = 'shift'`)
			if err != nil {
				return err
			}
			if out, err = r.aggregate(c, a, shift); c.damaged.count() > 0 {
				out.Coverage.Complete = false
				out.Notes = append(out.Notes, c.damaged.String())
			}
			return err
		})
	})
	return out, err
}

// parts are what has to hold together.
func parts(e filter.Expr) []filter.Expr {
	and, ok := e.(filter.And)
	if !ok {
		return []filter.Expr{e}
	}
	var out []filter.Expr
	for _, x := range and {
		out = append(out, parts(x)...)
	}
	return out
}

func (r *rows) aggregate(c *conn, a call.Aggregation, shift int64) (call.Aggregate, error) {
	from, to, _ := filter.Bounds(a.Where, "timestamp")
	out := call.Aggregate{Window: call.Window{From: from, To: to}}
	now, err := r.counted(c, a, a.Where, shift, 0)
	if err != nil {
		return out, err
	}
	out.Coverage = call.Coverage{Calls: new(len(now.picked)), Searched: len(now.picked), Complete: true}
	var past *counts
	if a.Previous {
		if before, ok := out.Window.Before(); ok {
			out.Before = &before
			if past, err = r.counted(c, a, a.WhereBefore(before), shift, from.Sub(before.From)); err != nil {
				return out, err
			}
		} else {
			out.Notes = []string{"there is no window before one without a start and an end"}
		}
	}
	now.fill(&out, a, past)
	return out, nil
}

// counts are the calls of one window in their groups.
type counts struct {
	r      *rows
	picked []int32
	keys   []call.GroupKey
	place  map[string]int32 // of a key, among keys
	member []int32          // groups of the rows, one row after the other
	from   []int32          // where those of the n-th row begin; nil where each has one
	sizes  []int
}

func (r *rows) counted(c *conn, a call.Aggregation, where filter.Expr, shift int64, move time.Duration) (*counts, error) {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if from, to, _ := filter.Bounds(where, "timestamp"); !from.IsZero() || !to.IsZero() {
		since, until := int64(math.MinInt64), int64(math.MaxInt64)
		if !from.IsZero() {
			since = nanos(from)
		}
		if !to.IsZero() {
			until = nanos(to)
		}
		lo, hi = idsBetween(since, until, shift)
	}
	picked, err := r.selected(c, where, lo, hi)
	if err != nil {
		return nil, err
	}
	k := &counts{r: r, picked: picked, place: map[string]int32{}}
	if len(a.By) == 2 && isMetric(a.By[0]) && isMetric(a.By[1]) {
		l, err := r.pairs(c, a.View, a.By, picked)
		if err != nil {
			return nil, err
		}
		k.group(l, nil, 2)
		return k, nil
	}
	levels := make([]*level, 2)
	for i, g := range a.By {
		if levels[i], err = r.level(c, a.View, g, a.Zone, move, picked); err != nil {
			return nil, err
		}
	}
	if levels[0] != nil {
		k.group(levels[0], levels[1], len(a.By))
	}
	return k, nil
}

func isMetric(g call.Grouping) bool {
	return g.Unit == "" && strings.HasPrefix(g.Field, call.Evaluations+".")
}

// group joins the levels into groups. second is nil where there is one level.
func (k *counts) group(first, second *level, levels int) {
	width := 1
	if second != nil {
		width = len(second.cells)
	}
	// Few pairs of codes are met: a table where it is small, else a map.
	var dense []int32
	sparse := map[int64]int32{}
	if n := len(first.cells) * width; n <= 1<<20 {
		dense = make([]int32, n)
	}
	groupOf := func(x, y int32) int32 {
		at := int64(x)*int64(width) + int64(y)
		if dense != nil {
			if dense[at] > 0 {
				return dense[at] - 1
			}
		} else if g, ok := sparse[at]; ok {
			return g
		}
		key := call.GroupKey{Cells: first.cells[x], Order: first.orders[x]}
		if second != nil {
			key.Cells = []string{first.cells[x][0], second.cells[y][0]}
		}
		g := int32(len(k.keys))
		k.keys, k.sizes = append(k.keys, key), append(k.sizes, 0)
		k.place[key.String()] = g
		if dense != nil {
			dense[at] = g + 1
		} else {
			sparse[at] = g
		}
		return g
	}
	single := first.single() && (second == nil || second.single())
	if !single {
		k.from = make([]int32, 1, len(k.picked)+1)
	}
	k.member = make([]int32, 0, memberships(len(k.picked), first, second))
	for n := range k.picked {
		for _, x := range first.of(n) {
			if second == nil {
				k.member = append(k.member, groupOf(x, 0))
				continue
			}
			for _, y := range second.of(n) {
				k.member = append(k.member, groupOf(x, y))
			}
		}
		if !single {
			k.from = append(k.from, int32(len(k.member)))
		}
	}
	for _, g := range k.member {
		k.sizes[g]++
	}
}

// memberships is how many cells n rows have together.
func memberships(n int, first, second *level) (sum int) {
	if first.single() && (second == nil || second.single()) {
		return n
	}
	for i := range n {
		more := len(first.of(i))
		if second != nil {
			more *= len(second.of(i))
		}
		sum += more
	}
	return sum
}

// measures gathers the figures of n groups, of which the last is for all others:
// into says which a group counts in.
func (k *counts) measures(into []int32, n int) []call.Measure {
	figures := make([]struct{ calls, evaluated, successes int }, n)
	lengths := make([][]time.Duration, n)
	sizes := make([]int, n)
	for g, m := range into {
		sizes[m] += k.sizes[g]
	}
	for m, size := range sizes {
		lengths[m] = make([]time.Duration, 0, size)
	}
	for row, i := range k.picked {
		members := k.member[row : row+1 : row+1]
		if k.from != nil {
			members = k.member[k.from[row]:k.from[row+1]]
		}
		others := false // all that was cut off is one group
		for _, g := range members {
			m := into[g]
			if int(m) == n-1 && n > 1 {
				if others {
					continue
				}
				others = true
			}
			f := &figures[m]
			f.calls++
			if v := k.r.success[i]; v > 0 {
				f.evaluated++
				f.successes += int(v) - 1
			}
			if d := k.r.length[i]; d != none {
				lengths[m] = append(lengths[m], time.Duration(d))
			}
		}
	}
	out := make([]call.Measure, n)
	for m, f := range figures {
		out[m].AddAll(f.calls, f.evaluated, f.successes, lengths[m])
	}
	return out
}

// total gathers every call once.
func (k *counts) total() *call.Measure {
	all := &counts{r: k.r, picked: k.picked, member: make([]int32, len(k.picked)), sizes: []int{len(k.picked)}}
	return &all.measures([]int32{0}, 1)[0]
}

// fill writes the groups of k, compared with those of past, into out.
func (k *counts) fill(out *call.Aggregate, a call.Aggregation, past *counts) {
	out.Total = group(nil, k.total(), past.totalOrNil())
	if len(k.keys) == 0 {
		return
	}
	order, shown := a.Arrange(k.keys, k.sizes)
	into := make([]int32, len(k.keys))
	for i := range into {
		into[i] = int32(shown)
	}
	for rank, g := range order[:shown] {
		into[g] = int32(rank)
	}
	now := k.measures(into, shown+1)
	var before []call.Measure
	if past != nil {
		from := make([]int32, len(past.keys))
		for i, key := range past.keys {
			from[i] = int32(shown)
			if g, ok := k.place[key.String()]; ok {
				from[i] = into[g]
			}
		}
		before = past.measures(from, shown+1)
	}
	at := func(m int) *call.Measure {
		if before == nil {
			return nil
		}
		return &before[m]
	}
	for rank, g := range order[:shown] {
		out.Groups = append(out.Groups, group(k.keys[g].Cells, &now[rank], at(rank)))
	}
	if out.OtherGroups = len(order) - shown; out.OtherGroups > 0 {
		out.Others = new(group(nil, &now[shown], at(shown)))
	}
}

func (k *counts) totalOrNil() *call.Measure {
	if k == nil {
		return nil
	}
	return k.total()
}

func group(cells []string, now, before *call.Measure) call.Group {
	g := call.Group{Key: cells, Stats: now.Stats()}
	if before != nil {
		g.Previous = new(before.Stats())
	}
	return g
}
