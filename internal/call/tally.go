package call

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/filter"
)

// AggregateLogs answers a from logs that are all in memory: what every
// Aggregator has to answer. Window is the bounds of the start time in a.Where;
// there is no window before one that lacks either bound, and a note says so.
//
// A call counts once in each of its groups. Two levels that are both fields of
// its metrics are taken from one and the same metric.
func AggregateLogs(logs []*Log, a Aggregation) Aggregate {
	out, now, before := a.windows()
	groups := map[string]*gathered{}
	var total, totalBefore Measure
	var rest []*Log
	count := func(l *Log, past bool) {
		into := &total
		shift := time.Duration(0)
		if past {
			into, shift = &totalBefore, out.Window.From.Sub(out.Before.From)
		}
		into.Add(l.Success, l.Duration)
		for _, key := range a.keys(l, shift) {
			key.group(groups).measure(past).Add(l.Success, l.Duration)
		}
	}
	for _, l := range logs {
		if filter.Match(now, l) {
			rest = append(rest, l)
			count(l, false)
		}
	}
	var past []*Log
	if out.Before != nil {
		for _, l := range logs {
			if filter.Match(before, l) {
				past = append(past, l)
				count(l, true)
			}
		}
	}
	out.Coverage = Coverage{Calls: new(len(rest)), Searched: len(rest), Complete: true}
	a.fill(&out, groups, total, totalBefore, rest, past)
	return out
}

// windows reads the window of a out of its filter, and makes the filters of
// that window and of the one before.
func (a Aggregation) windows() (out Aggregate, now, before filter.Expr) {
	from, to, _ := filter.Bounds(a.Where, "timestamp")
	out.Window = Window{from, to}
	if !a.Previous {
		return out, a.Where, nil
	}
	w, ok := out.Window.Before()
	if !ok {
		out.Notes = []string{"there is no window before one without a start and an end"}
		return out, a.Where, nil
	}
	out.Before = &w
	return out, a.Where, a.WhereBefore(w)
}

// Before is the window of the same length just before w; ok is false where w is
// open. The finest time that upstreams keep is a microsecond.
func (w Window) Before() (before Window, ok bool) {
	if w.From.IsZero() || w.To.IsZero() || w.To.Before(w.From) {
		return Window{}, false
	}
	to := w.From.Add(-time.Microsecond)
	return Window{From: to.Add(-w.To.Sub(w.From)), To: to}, true
}

// WhereBefore is the filter of a, in the window w instead of its own.
func (a Aggregation) WhereBefore(w Window) filter.Expr {
	var keep []filter.Expr
	for _, x := range conjuncts(a.Where) {
		if c, ok := x.(filter.Cond); !ok || c.Field != "timestamp" {
			keep = append(keep, x)
		}
	}
	return filter.All(append(keep, filter.Within("timestamp", w.From, w.To))...)
}

func conjuncts(e filter.Expr) []filter.Expr {
	and, ok := e.(filter.And)
	if !ok {
		return []filter.Expr{e}
	}
	var out []filter.Expr
	for _, x := range and {
		out = append(out, conjuncts(x)...)
	}
	return out
}

// A Measure gathers the figures of some calls.
type Measure struct {
	calls, evaluated, successes int
	lengths                     []time.Duration
}

// Add counts a call.
func (m *Measure) Add(success *bool, length *time.Duration) {
	m.calls++
	if success != nil {
		m.evaluated++
		if *success {
			m.successes++
		}
	}
	if length != nil {
		m.lengths = append(m.lengths, *length)
	}
}

// AddAll counts calls that were counted elsewhere. Lengths are kept, and put
// into another order.
func (m *Measure) AddAll(calls, evaluated, successes int, lengths []time.Duration) {
	m.calls, m.evaluated, m.successes = m.calls+calls, m.evaluated+evaluated, m.successes+successes
	m.lengths = append(m.lengths, lengths...)
}

// Stats are the figures, in time linear in the number of calls.
func (m *Measure) Stats() Stats {
	s := Stats{Calls: m.calls, Evaluated: m.evaluated, Successes: m.successes}
	n := int64(len(m.lengths))
	if n == 0 {
		return s
	}
	var seconds, nanos int64 // apart, since the sum of all calls may not fit
	for _, d := range m.lengths {
		seconds += int64(d / time.Second)
		nanos += int64(d % time.Second)
	}
	seconds, nanos = seconds+nanos/1e9, nanos%1e9
	s.Mean = new(time.Duration(seconds/n)*time.Second + time.Duration((seconds%n*1e9+nanos)/n))
	s.P95 = new(percentile(m.lengths, 95))
	s.P50 = new(percentile(m.lengths, 50))
	return s
}

// percentile is exact, and interpolates linearly between the closest ranks. It
// reorders what it is given.
func percentile(lengths []time.Duration, p int64) time.Duration {
	rank := p * int64(len(lengths)-1)
	k, rest := int(rank/100), rank%100
	low := nth(lengths, k)
	if rest == 0 {
		return low
	}
	high := slices.Min(lengths[k+1:]) // nth leaves the larger ones behind k
	return low + time.Duration(int64(high-low)/100*rest+int64(high-low)%100*rest/100)
}

// nth is the k-th smallest of a, from 0, and moves the smaller ones before it:
// Hoare's selection.
func nth(a []time.Duration, k int) time.Duration {
	for lo, hi := 0, len(a)-1; lo < hi; {
		mid := lo + (hi-lo)/2
		pivot := max(min(a[lo], a[mid]), min(max(a[lo], a[mid]), a[hi]))
		i, j := lo, hi
		for i <= j {
			for a[i] < pivot {
				i++
			}
			for a[j] > pivot {
				j--
			}
			if i <= j {
				a[i], a[j] = a[j], a[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return a[k]
		}
	}
	return a[k]
}

// A GroupKey is where a call counts: a cell for each level, and for a level of
// time where its bucket lies in the order of time.
type GroupKey struct {
	Cells []string
	Order int64 // of the first level that is time
}

func (k GroupKey) String() string { return strings.Join(k.Cells, "\x00") }

type gathered struct {
	key         GroupKey
	now, before Measure
}

func (k GroupKey) group(groups map[string]*gathered) *gathered {
	s := k.String()
	if groups[s] == nil {
		groups[s] = &gathered{key: k}
	}
	return groups[s]
}

func (g *gathered) measure(past bool) *Measure {
	if past {
		return &g.before
	}
	return &g.now
}

// keys are the groups of l, each once. shift moves a call of the window before
// into the bucket that it is compared with.
func (a Aggregation) keys(l *Log, shift time.Duration) []GroupKey {
	keys := []GroupKey{{}}
	if a.pairs() {
		keys = nil
		for _, m := range a.View.row(l).Rows(Evaluations) {
			k := GroupKey{}
			for _, g := range a.By {
				k.Cells = append(k.Cells, Cell(m.Values(g.Field)[0]))
			}
			keys = append(keys, k)
		}
		if len(keys) == 0 {
			keys = []GroupKey{{Cells: []string{Absent, Absent}}}
		}
		return distinct(keys)
	}
	for level, g := range a.By {
		var next []GroupKey
		for _, k := range keys {
			if g.Unit != "" {
				b := g.Unit.Bucket(l.StartedAt, shift, a.Zone)
				k.Cells = append(slices.Clone(k.Cells), b.Key)
				if level == 0 {
					k.Order = b.Order
				}
				next = append(next, k)
				continue
			}
			for _, cell := range Cells(a.View.row(l).Values(g.Field)) {
				next = append(next, GroupKey{append(slices.Clone(k.Cells), cell), k.Order})
			}
		}
		keys = next
	}
	if len(a.By) == 0 {
		return nil
	}
	return distinct(keys)
}

// pairs says whether both levels are of the metrics of a call.
func (a Aggregation) pairs() bool {
	return len(a.By) == 2 && !slices.ContainsFunc(a.By, func(g Grouping) bool {
		return g.Unit != "" || !strings.HasPrefix(g.Field, Evaluations+".")
	})
}

func distinct(keys []GroupKey) []GroupKey {
	slices.SortFunc(keys, func(a, b GroupKey) int { return slices.Compare(a.Cells, b.Cells) })
	return slices.CompactFunc(keys, func(a, b GroupKey) bool { return slices.Equal(a.Cells, b.Cells) })
}

// Cell is a value of a field as the key of a group.
func Cell(v any) string {
	switch v := v.(type) {
	case string:
		return cmp.Or(filter.Tidy(v), Absent)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return Absent
}

// Cells are the different values of a field; Absent alone where there is none.
func Cells(values []any) (cells []string) {
	for _, v := range values {
		if v != nil {
			cells = append(cells, Cell(v))
		}
	}
	if len(cells) == 0 {
		return []string{Absent}
	}
	slices.Sort(cells)
	return slices.Compact(cells)
}

// Arrange sorts groups as an Aggregate shows them, and says how many are shown:
// the first ones. Where the first level is time, those are the newest, and of
// one bucket the largest, sorted by time; else the largest.
func (a Aggregation) Arrange(keys []GroupKey, calls []int) (order []int, shown int) {
	order = make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	byTime := len(a.By) > 0 && a.By[0].Unit != ""
	sortBy := func(list []int, newest bool) {
		slices.SortFunc(list, func(i, j int) int {
			c := 0
			if byTime {
				c = cmp.Compare(keys[i].Order, keys[j].Order)
			}
			if newest {
				c = -c
			}
			return cmp.Or(c, cmp.Compare(calls[j], calls[i]), slices.Compare(keys[i].Cells, keys[j].Cells))
		})
	}
	sortBy(order, true)
	shown = len(order)
	if limit := cmp.Or(a.Limit, 20); shown > limit {
		shown = limit
	}
	if byTime {
		sortBy(order[:shown], false)
	}
	return order, shown
}

// fill writes the groups, the totals and the others into out.
func (a Aggregation) fill(out *Aggregate, groups map[string]*gathered, total, before Measure, now, past []*Log) {
	out.Total = out.group(nil, &total, &before)
	var all []*gathered
	var keys []GroupKey
	var calls []int
	for _, g := range groups {
		if g.now.calls > 0 {
			all, keys, calls = append(all, g), append(keys, g.key), append(calls, g.now.calls)
		}
	}
	order, shown := a.Arrange(keys, calls)
	is := map[string]bool{}
	for _, i := range order[:shown] {
		out.Groups = append(out.Groups, out.group(all[i].key.Cells, &all[i].now, &all[i].before))
		is[all[i].key.String()] = true
	}
	if out.OtherGroups = len(order) - shown; out.OtherGroups == 0 {
		return
	}
	var others [2]Measure
	for i, logs := range [][]*Log{now, past} {
		shift := time.Duration(0)
		if i == 1 && out.Before != nil {
			shift = out.Window.From.Sub(out.Before.From)
		}
		for _, l := range logs {
			if slices.ContainsFunc(a.keys(l, shift), func(k GroupKey) bool { return !is[k.String()] }) {
				others[i].Add(l.Success, l.Duration)
			}
		}
	}
	out.Others = new(out.group(nil, &others[0], &others[1]))
}

func (out *Aggregate) group(cells []string, now, before *Measure) Group {
	g := Group{Key: cells, Stats: now.Stats()}
	if out.Before != nil {
		g.Previous = new(before.Stats())
	}
	return g
}
