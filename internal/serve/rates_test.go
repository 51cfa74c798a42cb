package serve

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBucketsRefillAndAreForgotten(t *testing.T) {
	now := newest
	b := newBuckets(60, 3, 10*time.Millisecond)
	b.now, b.max = func() time.Time { return now }, 100
	take := func(key string) bool { _, ok := b.take(t.Context(), key); return ok }
	for range 3 {
		assert.True(t, take("a"))
	}
	retry, ok := b.take(t.Context(), "a")
	assert.False(t, ok)
	assert.Equal(t, time.Second, retry)
	assert.True(t, take("b"), "each has its own")
	now = now.Add(time.Second)
	assert.True(t, take("a"))
	assert.False(t, take("a"), "what was refused has cost nothing")

	for i := range 1000 {
		take(fmt.Sprint("flood ", i))
	}
	assert.Len(t, b.byKey, 100)
	assert.False(t, take("late"), "who finds no room shares what is left")
	now = now.Add(4 * time.Second)
	assert.True(t, take("late"))
	assert.Len(t, b.byKey, 1, "the idle are forgotten")
}

func TestRatesAreOfPrincipalsAndAddresses(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "a", Scopes: Scopes()}, Principal{Name: "b", Scopes: Scopes()})
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByToken, Tokens: path, Metrics: "127.0.0.1:0",
		TrustedProxies: []string{"127.0.0.1"}, Rates: Rates{PerMinute: 60, Burst: 5, AddressPerMinute: 200}})
	ask := func(token, from string) got {
		return h.post(asks("1", "echo", "x"), "Authorization", "Bearer "+token, "X-Forwarded-For", from)
	}
	for range 5 {
		require.Equal(t, 200, ask(plain[0], "1.1.1.1").status)
	}
	g := ask(plain[0], "1.1.1.2")
	assert.Equal(t, 429, g.status)
	assert.Equal(t, "1", g.header.Get("Retry-After"))
	require.NotNil(t, g.Error)
	assert.Contains(t, g.Error.Message, "busy")
	assert.Equal(t, 200, ask(plain[1], "1.1.1.1").status, "another's calls are not counted")
	statuses := map[int]int{}
	for range 30 { // guessing tokens
		statuses[ask("guess", "6.6.6.6").status]++
	}
	assert.Equal(t, 30, statuses[401]+statuses[429])
	assert.Positive(t, statuses[429], "20 at once, and one every 300 ms")
	assert.GreaterOrEqual(t, statuses[401], 20)
	assert.Equal(t, 401, ask("guess", "6.6.6.7").status)
}

// Ten times more than there is room for: what was let in is answered in its
// time, the rest is told so at once.
func TestOverload(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second, and the machine for itself")
	}
	const work, inFlight, times, lasting = 100 * time.Millisecond, 16, 10, time.Second
	s := newBench().server()
	s.AddTool(slowTool("work", work))
	rates := generous()
	rates.InFlight, rates.PerPrincipal, rates.Wait = inFlight, inFlight, 0
	h := serving(t, s, HTTPOptions{Rates: rates})
	alone := timed(func() { require.Equal(t, "done", h.post(asks("1", "work", "")).text()) })
	var mu sync.Mutex
	var admitted, refused []time.Duration
	var wait sync.WaitGroup
	for range time.Tick(work / (inFlight * times) * 8) {
		for range 8 {
			wait.Go(func() {
				var g got
				var err error
				took := timed(func() { g, err = h.try(asks("1", "work", "")) })
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && g.text() == "done":
					admitted = append(admitted, took)
				case err == nil && g.status == 429 && g.header.Get("Retry-After") == "1":
					refused = append(refused, took)
				default:
					assert.Fail(t, "neither", "%v %s", err, g.body)
				}
			})
		}
		mu.Lock()
		n := len(admitted) + len(refused)
		mu.Unlock()
		if n >= int(lasting/work)*inFlight*times {
			break
		}
	}
	wait.Wait()
	slices.Sort(admitted)
	slices.Sort(refused)
	require.NotEmpty(t, refused)
	at := func(d []time.Duration, q int) time.Duration { return d[len(d)*q/100].Round(time.Millisecond / 10) }
	t.Logf("alone %v; %d admitted, p50 %v p99 %v; %d refused, p50 %v p99 %v", alone.Round(time.Millisecond/10), len(admitted), at(admitted, 50), at(admitted, 99), len(refused), at(refused, 50), at(refused, 99))
	assert.Less(t, at(refused, 50), 50*time.Millisecond)
	assert.Less(t, at(admitted, 50), 2*alone)
	assert.Greater(t, len(admitted), int(lasting/work)*inFlight/2, "the places are used")
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}
