package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/mirror/store"
)

// Several read while one writes, and each sees whole commits: of the two calls of
// a round, which say the same word, both or none.
func TestReadersSeeWholeCommits(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, err := store.Open(ctx, store.Options{Path: onDisk(t)})
	assert.NoError(t, err)
	defer s.Close()
	commit(t, s, store.Change{Source: "s", Put: calltest.Logs("s", 200, 5, end)})
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				p, err := s.Find(ctx, call.Query{Text: said(t, "zaphod"), Limit: 100})
				if !assert.NoError(t, err) || !assert.Zero(t, len(p.Logs)%2) {
					return
				}
				a, err := s.Aggregate(ctx, call.Aggregation{By: []call.Grouping{{Field: "topic"}, {Unit: call.Day}}})
				if !assert.NoError(t, err) || !assert.GreaterOrEqual(t, a.Total.Stats.Calls, 200) {
					return
				}
				_, err = s.Find(ctx, call.Query{Text: said(t, "zaphod order"), Order: call.Relevance})
				assert.NoError(t, err)
			}
		})
	}
	for i := range 40 {
		at := end.Add(time.Duration(i) * time.Second)
		commit(t, s, store.Change{Source: "s", ReadAt: at, Put: []*call.Log{
			spoken(fmt.Sprint("a", i), "zaphod says hello", at), spoken(fmt.Sprint("b", i), "hello zaphod", at),
		}})
	}
	close(stop)
	wait.Wait()
}
