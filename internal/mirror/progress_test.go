package mirror

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// A question that waits for a fill hears how far it is: more each time, never
// more than all, at most twice a second; one that does not wait hears nothing.
func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name     string
		timeless bool
	}{{"one page a window", false}, {"paged through", true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, m := newDesk(t, 300, ReadThrough{})
				d.takes = 200 * time.Millisecond
				if c.timeless { // ten pages at once
					d.takes = 2 * time.Second
				}
				m.o.Engine.sources["sea"].TimeFilter = !c.timeless
				heard, last := 0, -1
				var at time.Time
				q := d.last(t, 20, "order")
				q.Progress = func(done, total int, note string) {
					heard++
					assert.Greater(t, done, last)
					assert.InDelta(t, 300, total, 10)
					assert.LessOrEqual(t, done, total)
					assert.Equal(t, "fetching calls of sea", note)
					assert.GreaterOrEqual(t, time.Since(at), tick)
					last, at = done, time.Now()
				}
				ctx := context.Background()
				p, err := m.Find(ctx, q)
				require.NoError(t, err)
				assert.True(t, p.Coverage.Complete, "%v", p.Notes)
				assert.GreaterOrEqual(t, heard, 2)
				assert.Greater(t, last, 200, "it is nearly done when it is told of last")

				heard = 0
				a := call.Aggregation{Where: q.Where, Progress: q.Progress}
				_, err = m.Aggregate(ctx, a)
				require.NoError(t, err)
				assert.Zero(t, heard, "what is there is not waited for")
			})
		})
	}
}
