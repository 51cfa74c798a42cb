package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// Counts are those of the reference, for any filter, any two levels and any
// zone, also while calls come and go.
func TestAggregatesAreTheReference(t *testing.T) {
	logs := calltest.Logs("a", 160, 21, end)
	logs = append(logs, calltest.Logs("b", 60, 22, end)...)
	for _, l := range logs[150:170] {
		l.StartedAt, l.EndedAt = time.Time{}, time.Time{}
	}
	s := filled(t, onDisk(t), logs)
	values := valuesOf(logs)
	zones := []*time.Location{nil, time.UTC}
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		zones = append(zones, zone)
	}
	at, made := end, 0
	rapid.Check(t, func(t *rapid.T) {
		if rapid.IntRange(0, 9).Draw(t, "change") == 0 {
			at, made = at.Add(time.Second), made+1
			logs = change(t, s, logs, at, made)
		}
		for range 3 {
			a := call.Aggregation{
				Zone: pick(t, "zone", zones), Previous: rapid.Bool().Draw(t, "previous"), Limit: rapid.IntRange(0, 6).Draw(t, "limit"),
			}
			for range rapid.IntRange(0, 2).Draw(t, "levels") {
				a.By = append(a.By, grouping(t))
			}
			if rapid.Bool().Draw(t, "bounded") {
				from := end.Add(-time.Duration(rapid.IntRange(1, 30*24).Draw(t, "hours")) * time.Hour)
				a.Where = filter.Within("timestamp", from, from.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "length"))*time.Hour))
			}
			if rapid.Bool().Draw(t, "filtered") {
				a.Where = filter.All(a.Where, tree(t, values, 2))
			}
			want := call.AggregateLogs(logs, a)
			got, err := s.Aggregate(ctx, a)
			require.NoError(t, err)
			require.Equal(t, want, got, "%+v", a)
		}
	})
}

func grouping(t *rapid.T) call.Grouping {
	if rapid.IntRange(0, 2).Draw(t, "time") == 0 {
		return call.Grouping{Unit: pick(t, "unit", []call.Unit{call.Hour, call.Day, call.Week, call.Month})}
	}
	if rapid.IntRange(0, 3).Draw(t, "metric") == 0 {
		return call.Grouping{Field: pick(t, "metric", []string{"metric_evaluations.metric.id", "metric_evaluations.metric.name", "metric_evaluations.value", "metric_evaluations.passed"})}
	}
	return call.Grouping{Field: pick(t, "field", fieldNames)}
}

// change puts, changes and takes away a call, and returns what is there then.
func change(t *rapid.T, s *store.Store, logs []*call.Log, at time.Time, made int) []*call.Log {
	i := rapid.IntRange(0, len(logs)-1).Draw(t, "call")
	l := *logs[i]
	ch := store.Change{Source: l.ID.Source, ReadAt: at}
	switch rapid.IntRange(0, 2).Draw(t, "what") {
	case 0:
		logs = slices.Delete(slices.Clone(logs), i, i+1)
		ch.Gone = []string{l.ID.Key}
	case 1:
		l.Success, l.Topic = new(true), "changed"
		logs = slices.Clone(logs)
		logs[i] = &l
		ch.Put = []*call.Log{&l}
	default:
		l.ID.Key = "new-" + string(rune('a'+made%26)) + time.Duration(made).String()
		if !l.StartedAt.IsZero() {
			l.StartedAt = l.StartedAt.Add(time.Duration(made%3) * time.Hour)
		}
		logs = append(slices.Clone(logs), &l)
		ch.Put = []*call.Log{&l}
	}
	_, err := s.Commit(ctx, ch)
	require.NoError(t, err)
	return logs
}

func TestAggregateOfNothing(t *testing.T) {
	got, err := open(t, "").Aggregate(ctx, call.Aggregation{By: []call.Grouping{{Field: "topic"}}, Previous: true})
	require.NoError(t, err)
	assert.Equal(t, call.AggregateLogs(nil, call.Aggregation{By: []call.Grouping{{Field: "topic"}}, Previous: true}), got)
}

// Of verdicts in more patterns than memory has room for, SQL counts.
func TestVariedVerdictsAreCounted(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var logs []*call.Log
	for i := range 450 {
		l := &call.Log{ID: call.ID{Source: "s", Key: fmt.Sprint(i)}, StartedAt: end.Add(-time.Duration(i) * time.Minute)}
		for k := range 100 {
			l.Metrics = append(l.Metrics, call.Metric{ID: fmt.Sprint(k), Name: fmt.Sprint("metric ", k), Type: "binary", Passed: new(r.IntN(2) == 0)})
		}
		logs = append(logs, l)
	}
	s := filled(t, "", logs)
	a := call.Aggregation{By: []call.Grouping{{Field: "metric_evaluations.metric.name"}, {Field: "metric_evaluations.passed"}}}
	for range 2 { // when it is found out, and when it is known
		got, err := s.Aggregate(ctx, a)
		require.NoError(t, err)
		require.Equal(t, call.AggregateLogs(logs, a), got)
	}
}
