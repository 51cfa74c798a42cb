package cekura

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A tap does something before each request goes on to an upstream.
type tap struct {
	to     http.RoundTripper
	before func(*http.Request)
}

func (t tap) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.before != nil {
		t.before(r)
	}
	return t.to.RoundTrip(r)
}

func over(t *testing.T, to http.RoundTripper, before func(*http.Request)) call.Source {
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, Transport: tap{to, before}, Now: now, Limits: fast()})
	require.NoError(t, err)
	return s
}

// sea is an upstream whose calls come and go.
type sea struct {
	*demo.API
	mu   sync.Mutex // counts are asked for at the same time
	rng  *rand.Rand
	days int
	gone map[string]bool
}

// empty is an API without calls.
func empty(cut int) *demo.API {
	api := demo.New(demo.Options{Calls: 1, Now: now, MaxPageSize: cut})
	api.Delete(api.Calls()[0].ID)
	return api
}

func newSea(seed uint64, calls, days, cut int) *sea {
	s := &sea{
		API:  empty(cut),
		rng:  rand.New(rand.NewPCG(seed, 1)),
		days: days,
		gone: map[string]bool{},
	}
	for range calls {
		s.insert()
	}
	return s
}

// insert adds a call; many share a second with others, and some the instant.
func (s *sea) insert() {
	started := now().Add(-time.Duration(1+s.rng.IntN(s.days*144)) * 10 * time.Minute)
	if all := s.Calls(); len(all) > 0 && s.rng.IntN(4) == 0 {
		started = all[s.rng.IntN(len(all))].Timestamp
	}
	if s.rng.IntN(3) == 0 {
		started = started.Add(time.Duration(s.rng.IntN(900)) * time.Millisecond)
	}
	s.Insert(demo.Call{CallID: fmt.Sprint("c", s.rng.Uint64()), Agent: 1, Timestamp: started, Seconds: float64(s.rng.IntN(300))})
}

// stir changes what is there as if a while had passed.
func (s *sea) stir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range min(s.rng.IntN(3), 120-len(s.Calls())) {
		s.insert()
	}
	if all := s.Calls(); len(all) > 0 && s.rng.IntN(2) == 0 {
		c := all[s.rng.IntN(len(all))]
		s.gone[fmt.Sprint(c.ID)] = true
		s.Delete(c.ID)
	}
}

func walkAll(ctx context.Context, t *testing.T, s call.Source, q call.Query) []*call.Log {
	var logs []*call.Log
	for pages := 0; ; pages++ {
		require.Less(t, pages, 2000, "the walk does not end")
		p, err := s.Find(ctx, q)
		require.NoError(t, err)
		require.Empty(t, p.Notes)
		logs = append(logs, p.Logs...)
		if p.Next == nil {
			return logs
		}
		q.After = p.Next
	}
}

// Whatever arrives or vanishes during a walk: what stood all along is met
// exactly once, nothing twice, and in order.
func TestWalkWhileCallsComeAndGo(t *testing.T) {
	for seed := range uint64(24) {
		for _, order := range []call.Order{call.Newest, call.Oldest} {
			t.Run(fmt.Sprint(order, seed), func(t *testing.T) {
				days := []int{1, 20, 100}[seed%3]
				cut := []int{0, 7, 3}[seed/3%3]
				up := newSea(seed, 60, days, cut)
				stood := up.Calls()
				s := over(t, demo.Transport(up.API), func(*http.Request) { up.stir() })
				q := call.Query{
					Order: order,
					Limit: 1 + int(seed*7)%23,
					Where: filter.Within("timestamp", now().Add(-time.Duration(days+1)*day), now()),
				}
				if seed%4 == 3 { // some filtering here makes the walk a scan
					q.Where = filter.All(q.Where, filter.Cond{Field: "duration", Op: filter.Neq, Value: 1e6})
				}
				logs := walkAll(t.Context(), t, s, q)
				met := map[string]int{}
				for i, l := range logs {
					met[l.ID.Key]++
					if i > 0 {
						assert.Negative(t, order.Compare(logs[i-1], l), "in order")
					}
				}
				for _, c := range stood {
					if key := fmt.Sprint(c.ID); !up.gone[key] {
						assert.Equal(t, 1, met[key], key)
					}
				}
				for key, n := range met {
					assert.Equal(t, 1, n, key)
				}
			})
		}
	}
}

// Where a call arrives with each request, no last page is the last for long: the
// window is narrowed until one is, and no order is doubted.
func TestOldestFirstWhileCallsArrive(t *testing.T) {
	api := empty(1)
	add := func(n int) {
		api.Insert(demo.Call{CallID: fmt.Sprint("c", n), Timestamp: now().Add(-20*day + time.Duration(n*37%2000)*10*time.Minute)})
	}
	for n := range 30 {
		add(n)
	}
	stood, n := api.Calls(), 30
	var mu sync.Mutex // counts are asked for at the same time
	s := over(t, demo.Transport(api), func(*http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n < 300 {
			add(n)
			n++
		}
	})
	met := map[string]int{}
	for _, l := range walkAll(t.Context(), t, s, call.Query{Order: call.Oldest, Limit: 7, Where: filter.Within("timestamp", now().Add(-21*day), now())}) {
		met[l.ID.Key]++
	}
	for _, c := range stood {
		assert.Equal(t, 1, met[fmt.Sprint(c.ID)])
	}
}

// A second with more calls than a page holds is read by page numbers.
func TestManyCallsInOneSecond(t *testing.T) {
	for _, cut := range []int{0, 10} {
		for _, order := range []call.Order{call.Newest, call.Oldest} {
			api := empty(cut)
			for i := range 97 {
				api.Insert(demo.Call{CallID: fmt.Sprint(i), Timestamp: now().Add(-time.Hour + time.Duration(i%5)*time.Millisecond)})
			}
			s := over(t, demo.Transport(api), nil)
			logs := map[string]bool{}
			q := call.Query{Order: order, Limit: 9}
			for {
				p, err := s.Find(t.Context(), q)
				require.NoError(t, err)
				for _, l := range p.Logs {
					assert.False(t, logs[l.ID.Key])
					logs[l.ID.Key] = true
				}
				if q.After = p.Next; p.Next == nil {
					break
				}
			}
			assert.Len(t, logs, 97, "%s %d", order, cut)
		}
	}
}

func TestSlicesAreNarrowEnough(t *testing.T) {
	for _, order := range []call.Order{call.Newest, call.Oldest} {
		api := demo.New(demo.Options{Calls: 300, Days: 200, Now: now})
		s := over(t, demo.Transport(api), func(r *http.Request) {
			from, to := at(r.URL.Query().Get("timestamp_from")), at(r.URL.Query().Get("timestamp_to"))
			assert.LessOrEqual(t, to.Sub(from), widestSpan)
		})
		p, err := s.Find(t.Context(), call.Query{
			Order: order, Limit: 500,
			Where: filter.Within("timestamp", now().Add(-210*day), now()),
		})
		require.NoError(t, err)
		assert.Len(t, p.Logs, 300)
		assert.Equal(t, 300, *p.Total)
		assert.Nil(t, p.Next)
		assert.Equal(t, call.Window{From: now().Add(-210 * day), To: now()}, p.Window)
		assert.LessOrEqual(t, api.Requests(), 7+7)
	}
}
