package telzino

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// sea changes u before each of its answers, as if a while had passed.
type sea struct {
	*upstream
	turn sync.Mutex // agents are asked at the same time
	rng  *rand.Rand
	gone map[string]bool
}

func (s *sea) stir() {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.Mu.Lock()
	n := len(s.Rows)
	like := s.Rows[s.rng.IntN(n)]
	away := s.Rows[s.rng.IntN(n)]
	s.Mu.Unlock()
	at, _ := time.Parse(time.RFC3339, like["call_started_at"].(string))
	for range min(s.rng.IntN(4), 130-n) {
		s.Insert(call.ID{Key: like["id"].(string)}, at.Add(time.Duration(s.rng.IntN(3))*time.Minute))
	}
	if n > 40 && s.rng.IntN(2) == 0 {
		s.gone[away["id"].(string)] = true
		s.Delete(call.ID{Key: away["id"].(string)})
	}
}

// Whatever arrives or vanishes between two requests: what stood all along is met
// exactly once, nothing twice, and in order.
func TestWalkWhileCallsComeAndGo(t *testing.T) {
	for seed := range uint64(16) {
		for _, order := range []call.Order{call.Newest, call.Oldest} {
			t.Run(fmt.Sprint(order, seed), func(t *testing.T) {
				u := stocked(80)
				u.SortBy = []string{"call_started_at", "created_at"}[seed%2]
				u.Max = []int{0, 30, 9, 13}[seed/2%4]
				stood := ids(u.Rows)
				s := &sea{upstream: u, rng: rand.New(rand.NewPCG(seed, 1)), gone: map[string]bool{}}
				u.Before = s.stir
				q := call.Query{Order: order, Limit: 1 + int(seed*7)%23, Where: within(31 * day)}
				if seed%5 == 4 { // some filtering makes the walk a scan
					q.Where = filter.All(q.Where, filter.Cond{Field: "turn_count", Op: filter.Neq, Value: 1e6})
					for _, r := range u.Rows {
						if r["transcript_text"] == "" {
							s.gone[r["id"].(string)] = true // has no turns to count
						}
					}
				}
				src := over(t, u)
				met := map[string]int{}
				for {
					p, err := src.Find(t.Context(), q)
					require.NoError(t, err)
					require.Empty(t, p.Notes)
					for i, l := range p.Logs {
						met[l.ID.Key]++
						if i > 0 {
							assert.Negative(t, order.Compare(p.Logs[i-1], l), "in order")
						}
					}
					if q.After = p.Next; p.Next == nil {
						break
					}
				}
				for _, key := range stood {
					if !s.gone[key] {
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

func ids(rows []row) (ids []string) {
	for _, r := range rows {
		ids = append(ids, r["id"].(string))
	}
	return ids
}
