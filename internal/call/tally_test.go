package call_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

func lasting(at time.Time, reason string, success *bool, seconds ...float64) *call.Log {
	l := &call.Log{StartedAt: at, EndedReason: reason, Success: success}
	if len(seconds) > 0 {
		l.Duration = new(time.Duration(seconds[0] * float64(time.Second)))
	}
	return l
}

func keysOf(a call.Aggregate) (keys []string) {
	for _, g := range a.Groups {
		keys = append(keys, g.Key[0])
	}
	return keys
}

func TestAggregateLogs(t *testing.T) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	logs := []*call.Log{
		lasting(day.Add(time.Hour), "hung up", new(true), 10), lasting(day.Add(2*time.Hour), "hung up", new(false), 20),
		lasting(day.Add(3*time.Hour), "hung up", nil, 40), lasting(day.Add(4*time.Hour), "", nil),
		lasting(day.Add(5*time.Hour), "error", new(true), 30),
		lasting(day.Add(-3*time.Hour), "hung up", new(true), 8), lasting(day.Add(-4*time.Hour), "voicemail", nil, 6),
	}
	within := filter.Within("timestamp", day, day.Add(24*time.Hour-time.Microsecond))
	a := call.AggregateLogs(logs, call.Aggregation{Where: within, By: []call.Grouping{{Field: "call_ended_reason"}}, Previous: true, Limit: 2})
	require.Equal(t, []string{"hung up", call.Absent}, keysOf(a))
	sec := func(n float64) *time.Duration { return new(time.Duration(n * float64(time.Second))) }
	assert.Equal(t, call.Stats{Calls: 3, Evaluated: 2, Successes: 1, Mean: new(70 * time.Second / 3), P50: sec(20), P95: sec(38)}, a.Groups[0].Stats)
	assert.Equal(t, &call.Stats{Calls: 1, Evaluated: 1, Successes: 1, Mean: sec(8), P50: sec(8), P95: sec(8)}, a.Groups[0].Previous)
	assert.Equal(t, call.Stats{Calls: 1}, a.Groups[1].Stats)
	assert.Equal(t, 5, a.Total.Stats.Calls)
	assert.Equal(t, 2, a.Total.Previous.Calls)
	assert.Equal(t, 1, a.OtherGroups)
	assert.Equal(t, 1, a.Others.Stats.Calls)
	assert.Equal(t, 1, a.Others.Previous.Calls, "the voicemail of the day before")
	assert.Equal(t, call.Window{From: day.AddDate(0, 0, -1), To: day.Add(-time.Microsecond)}, *a.Before)

	a = call.AggregateLogs(logs, call.Aggregation{Previous: true})
	assert.Empty(t, a.Groups)
	assert.Nil(t, a.Total.Previous)
	assert.NotEmpty(t, a.Notes)
}

func TestBucketsOfTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	back := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // 02:30 comes twice
	logs := []*call.Log{lasting(back, "", nil), lasting(back.Add(time.Hour), "", nil), lasting(back.Add(22*time.Hour), "", nil), lasting(back.Add(-3*time.Hour), "", nil), {}}
	by := func(u call.Unit) []string {
		return keysOf(call.AggregateLogs(logs, call.Aggregation{By: []call.Grouping{{Unit: u}}, Zone: zone}))
	}
	assert.Equal(t, []string{call.Absent, "2026-10-24T23:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T23:00+01:00"}, by(call.Hour))
	assert.Equal(t, []string{call.Absent, "2026-10-24", "2026-10-25"}, by(call.Day))
	assert.Equal(t, []string{call.Absent, "2026-10-19"}, by(call.Week))
	assert.Equal(t, []string{call.Absent, "2026-10"}, by(call.Month))
	a := call.AggregateLogs(logs, call.Aggregation{By: []call.Grouping{{Unit: call.Day}}, Zone: zone, Limit: 1})
	assert.Equal(t, []string{"2026-10-25"}, keysOf(a), "the newest are kept")
}

// What lies in a bucket's span has its key, whatever the clock does.
func TestBucketSpans(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Havana", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		unit := rapid.SampledFrom([]call.Unit{call.Hour, call.Day, call.Week, call.Month}).Draw(t, "unit")
		at := time.Unix(rapid.Int64Range(1_200_000_000, 1_900_000_000).Draw(t, "at"), 0)
		shift := time.Duration(rapid.Int64Range(-1e16, 1e16).Draw(t, "shift"))
		b := unit.Bucket(at, shift, zone)
		require.False(t, at.Before(b.From) || !at.Before(b.Until))
		other := b.From.Add(time.Duration(rapid.Int64Range(0, int64(b.Until.Sub(b.From))-1).Draw(t, "into")))
		got := unit.Bucket(other, shift, zone)
		require.Equal(t, b.Key, got.Key)
		require.Equal(t, b.Order, got.Order)
	})
}

func TestMetricsInGroups(t *testing.T) {
	l := &call.Log{Metrics: []call.Metric{
		{Name: "Greeting", Passed: new(true)}, {Name: "Greeting", Passed: new(true)}, {Name: "Greeting", Passed: new(false)}, {Name: "Tone"},
	}}
	a := call.AggregateLogs([]*call.Log{l, {}}, call.Aggregation{By: []call.Grouping{{Field: "metric_evaluations.metric.name"}}})
	assert.Equal(t, []string{call.Absent, "Greeting", "Tone"}, keysOf(a))
	assert.Equal(t, 1, a.Groups[1].Stats.Calls, "each call once")
	a = call.AggregateLogs([]*call.Log{l, {}}, call.Aggregation{By: []call.Grouping{{Field: "metric_evaluations.metric.name"}, {Field: "metric_evaluations.passed"}}})
	var keys [][]string
	for _, g := range a.Groups {
		keys = append(keys, g.Key)
	}
	assert.Equal(t, [][]string{{call.Absent, call.Absent}, {"Greeting", "false"}, {"Greeting", "true"}, {"Tone", call.Absent}}, keys, "of one and the same metric")
}

// Percentiles are those of the sorted list.
func TestPercentiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.Int64Range(-50, 50), 1, 60).Draw(t, "lengths")
		var m call.Measure
		for _, n := range lengths {
			m.Add(nil, new(time.Duration(n*100)))
		}
		slices.Sort(lengths)
		want := func(p int) time.Duration {
			rank := p * (len(lengths) - 1)
			k := rank / 100
			if rank%100 == 0 {
				return time.Duration(lengths[k] * 100)
			}
			return time.Duration(lengths[k]*100 + (lengths[k+1]-lengths[k])*int64(rank%100))
		}
		s := m.Stats()
		require.Equal(t, want(50), *s.P50)
		require.Equal(t, want(95), *s.P95)
	})
}

// A count that stopped says so, although the page it was made of is full.
func TestCountSaysWhereItStopped(t *testing.T) {
	src := calltest.Memory("s", []*call.Log{at("a", 1), at("b", 2), at("c", 3)})
	for scan, complete := range map[int]bool{2: false, 3: true} {
		a, err := call.Count(t.Context(), fullPages{src}, call.Aggregation{Scan: scan})
		require.NoError(t, err)
		assert.Equal(t, scan, a.Total.Stats.Calls)
		assert.Equal(t, complete, a.Coverage.Complete)
		assert.Equal(t, complete, a.Coverage.Back.IsZero())
	}
}

// fullPages takes a full page for all that was asked, as a source may that counts.
type fullPages struct{ call.Source }

func (f fullPages) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, err := f.Source.Find(ctx, q)
	p.Coverage.Complete = true
	return p, err
}
