package store_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/fair"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// costly asks of every call what takes long to find out, and holds of none.
func costly() filter.Expr {
	return filter.Cond{Field: "transcript", Op: filter.Regex, Value: regexp.MustCompile(`(a.{0,9}){9}\x00`)}
}

// One question takes no more than its share, whether the copy is in a file or in
// memory.
func TestQuestionsShare(t *testing.T) {
	for name, path := range map[string]string{"file": onDisk(t), "memory": ""} {
		s := open(t, path)
		fill(t, s, newGenerator(500))
		t.Run(name+"/spent", func(t *testing.T) { spentQuestionsEnd(t, s) })
		s.Spend(time.Hour)
		t.Run(name+"/many", func(t *testing.T) { costlyQuestionsKeepNobodyFromLists(t, s) })
		t.Run(name+"/not cheap", func(t *testing.T) { notCheapIsAnswered(t, s) })
	}
}

// A question that is not done within its time ends, and says so, whatever it is
// busy with.
func spentQuestionsEnd(t *testing.T, s *store.Store) {
	s.Spend(3 * time.Millisecond)
	list := func() error { _, err := s.Find(ctx, call.Query{Where: costly(), Exhaust: true}); return err }
	for what, ask := range map[string]func() error{
		"a list":  list,
		"a count": func() error { _, err := s.Aggregate(ctx, call.Aggregation{Where: costly()}); return err },
		"a search": func() error {
			_, err := s.Find(ctx, call.Query{Where: costly(), Text: said(t, commonWord)})
			return err
		},
		"by relevance": func() error {
			_, err := s.Find(ctx, call.Query{Where: costly(), Text: said(t, commonWord), Order: call.Relevance})
			return err
		},
		"the longest": func() error { _, err := s.Find(ctx, call.Query{Where: costly(), Order: call.Longest}); return err },
	} {
		began := time.Now()
		err := ask()
		var e *call.Error
		require.ErrorAs(t, err, &e, what)
		assert.Equal(t, call.TooLarge, e.Kind, what)
		assert.Contains(t, e.Error(), "stopped. Narrow the window", what)
		assert.Less(t, time.Since(began), 5*time.Second, what)
	}
	s.Spend(time.Hour)
	assert.NoError(t, list(), "the connection is as good as before")
}

// As many questions as one can have at once, each of which takes long, keep
// nobody from lists and single calls, and others not from a search either.
func costlyQuestionsKeepNobodyFromLists(t *testing.T, s *store.Store) {
	busy, stop := context.WithCancel(fair.By(ctx, "attacker"))
	defer stop()
	var asking sync.WaitGroup
	began := make(chan struct{}, 32)
	for i := range 32 {
		asking.Go(func() {
			began <- struct{}{}
			for busy.Err() == nil {
				_, err := s.Find(busy, call.Query{Where: filter.All(costly(), filter.Cond{Field: "topic", Op: filter.Neq, Value: fmt.Sprint(i)}), Exhaust: true})
				if err != nil {
					return
				}
			}
		})
	}
	for range 32 {
		<-began
	}
	calm, cancel := context.WithTimeout(fair.By(ctx, "anna"), 20*time.Second)
	defer cancel()
	for range 20 {
		p, err := s.Find(calm, call.Query{})
		require.NoError(t, err)
		_, err = s.Get(calm, p.Logs[0].ID)
		require.NoError(t, err)
		_, err = s.Calls(calm, "cekura", time.Time{}, time.Now())
		require.NoError(t, err)
	}
	stop()
	asking.Wait()
}

// What looks cheap and is not is still answered.
func notCheapIsAnswered(t *testing.T, s *store.Store) {
	var or filter.Or
	for i := range 40 {
		or = append(or, filter.Cond{Field: "metadata." + strings.Repeat("k", i+1), Op: filter.Eq, Value: "x"})
	}
	p, err := s.Find(ctx, call.Query{Where: or})
	require.NoError(t, err)
	assert.Empty(t, p.Logs)
	assert.True(t, p.Coverage.Complete)
}
