package zudu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// Where pages hold few rows and many calls share a second, a walk comes to its
// end, whatever arrives. What is there all along is met once, or the answer
// says that it could not be read.
func TestTinyPages(t *testing.T) {
	for _, most := range []int{1, 2, 4} {
		for _, order := range []call.Order{call.Newest, call.Oldest} {
			for _, what := range []string{"still", "arriving", "pouring"} {
				t.Run(fmt.Sprint(most, order, what), func(t *testing.T) {
					u, n, rng := stocked(60), 0, rand.New(rand.NewPCG(uint64(most), 1))
					u.Max = most
					for _, r := range u.Rows[20:36] {
						r["start_timestamp"] = u.Rows[20]["start_timestamp"]
					}
					arrive := func(at time.Time) { u.Insert(call.ID{Key: u.Rows[0]["id"].(string)}, at) }
					u.Before = func() {
						switch n++; what {
						case "arriving":
							if like := u.Rows[rng.IntN(60)]; n%3 == 0 && n < 300 {
								arrive(time.UnixMilli(like["start_timestamp"].(int64)))
							}
						case "pouring": // more than a page, before the walk and inside of the window
							for k := range 2 * most {
								begin := map[call.Order]time.Time{call.Newest: now(), call.Oldest: now().Add(-31 * day)}[order]
								arrive(begin.Add(time.Duration(n*10+k) * time.Millisecond))
							}
						}
					}
					stood := ids(u.Rows)
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					defer cancel()
					s, q := over(t, u), call.Query{Order: order, Limit: 7, Where: within(32 * day)}
					met, said := map[string]int{}, []string(nil)
					for {
						p, err := s.Find(ctx, q)
						require.NoError(t, err, "%d requests", n)
						for _, l := range p.Logs {
							met[l.Metadata[call.UUIDKey].(string)]++
						}
						if said = append(said, p.Notes...); len(p.Notes) > 0 {
							assert.False(t, p.Coverage.Complete)
						}
						if q.After = p.Next; p.Next == nil {
							break
						}
					}
					miss := 0
					for _, id := range stood {
						assert.LessOrEqual(t, met[id], 1)
						if met[id] == 0 {
							miss++
						}
					}
					if what == "pouring" {
						assert.NotEmpty(t, said)
					} else {
						assert.Zero(t, miss)
						assert.Empty(t, said)
					}
				})
			}
		}
	}
}

func ids(rows []map[string]any) (ids []string) {
	for _, r := range rows {
		ids = append(ids, r["id"].(string))
	}
	return ids
}
