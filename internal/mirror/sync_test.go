package mirror

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/mirror/store"
)

type leafOf = store.Leaf

// scales are the sizes of worlds, the smallest first: a failure is shown in the
// smallest world that its seed fails in.
var scales = []int{6, 20, 50, 90}

// kindOf is the kind of a seed's world: half of them are of Cekura's alone.
func kindOf(seed uint64) string {
	return []string{"", "times", "", "pages", "", "beside", "", "pages"}[seed%8]
}

// Whatever happens upstream while it is read, and wherever the process dies,
// the copy keeps its promises. SOAK is how many histories to try, 3,000 are the
// default; SEED is the first. It ends a minute before the test's deadline and
// says how many there were.
func TestHistories(t *testing.T) {
	n, first := 3000, uint64(1)
	if s, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		n, first = s, uint64(time.Now().UnixNano())
	}
	if s, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		first = s
	}
	if testing.Short() {
		n = min(n, 300)
	}
	began := time.Now()
	end, limited := t.Deadline()
	var next atomic.Uint64
	var mu sync.Mutex
	var sum stats
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= uint64(n) || t.Failed() || limited && time.Until(end) < time.Minute {
					return
				}
				st, wrongs := history(first+i, scales[len(scales)-1], mutant{kind: kindOf(first + i)})
				if len(wrongs) > 0 {
					t.Error(smallest(first+i, wrongs))
				}
				mu.Lock()
				sum.add(st)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	took := time.Since(began)
	t.Logf("%d histories from seed %d in %s (%.0f/s): %d cycles, %d crashes, %d requests, %d times held",
		sum.histories, first, took.Round(time.Millisecond), float64(sum.histories)/took.Seconds(), sum.cycles, sum.crashes, sum.requests, sum.held)
}

func (s *stats) add(o stats) {
	s.histories += o.histories
	s.cycles += o.cycles
	s.crashes += o.crashes
	s.requests += o.requests
	s.held += o.held
}

// smallest is the failure of a seed in the smallest world that shows it.
func smallest(seed uint64, wrongs []string) string {
	for _, scale := range scales {
		if _, w := history(seed, scale, mutant{kind: kindOf(seed)}); len(w) > 0 {
			return say(seed, scale, w)
		}
	}
	return say(seed, scales[len(scales)-1], wrongs)
}

var _ ledger = (*store.Store)(nil)

// What a first sync costs, and one without change.
func TestRequests(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w := &world{sea: newSea(rng, 0, day), book: newBook(), page: 100, retain: 90 * day}
	for i := range 2000 { // keys grow with time, as they do where nothing is late
		w.insert(w.sea.now.Add(time.Duration(i-2000) * (60 * day / 2000)).Truncate(time.Second))
	}
	w.start()
	var last Progress
	report, err := w.engine.Cycle(context.Background(), func(p Progress) { last = p })
	require.NoError(t, err)
	assert.Equal(t, 2000, len(w.book.calls))
	assert.Equal(t, 2000, last.Total)
	assert.Equal(t, 2000, last.Done)
	assert.LessOrEqual(t, report.Requests, 60)
	t.Logf("a first sync of 2,000 calls over 60 days: %d requests, %d leaves", report.Requests, len(w.book.leaves))

	report, err = w.engine.Cycle(context.Background(), nil)
	require.NoError(t, err)
	assert.Zero(t, report.Put+report.Gone)
	t.Logf("the next: %d requests", report.Requests)
	assert.LessOrEqual(t, report.Requests, 1+2+4)
}
