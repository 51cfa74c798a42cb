package wire

import (
	"cmp"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
)

// Charts remember, for the lists of one source, where in them which time was
// met, so that going on and coming back need no search. What they say is a
// guess: lists shift. The zero Charts are empty and ready.
type Charts struct {
	mu    sync.Mutex
	lists map[string]*chart
	homes map[string]Home
}

// A Home is where a call was met last.
type Home struct {
	List string
	At   time.Time // the start of the call
}

// A chart has, for places of a list, the latest rank that rows before them can
// have: see lane.
type chart struct {
	at    map[int]int64
	loose time.Time // when the list was found not to be sorted
	most  int       // rows that a page can have, where that was found out
}

const (
	maxPlaces = 5000
	maxHomes  = 10000
	// looseFor is how long a list that was not sorted is not tried again.
	looseFor = time.Hour
)

func (c *Charts) chart(name string) *chart {
	if c.lists == nil {
		c.lists, c.homes = map[string]*chart{}, map[string]Home{}
	}
	if c.lists[name] == nil {
		c.lists[name] = &chart{at: map[int]int64{}}
	}
	return c.lists[name]
}

// put notes the rank of a place.
func (c *Charts) put(name string, at int, rank int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	chart := c.chart(name)
	if len(chart.at) >= maxPlaces {
		clear(chart.at)
	}
	chart.at[at] = rank
}

// guess is the last known place before rank, 0 if none is known, and the first
// known one that is not before it, -1 if none is known.
func (c *Charts) guess(name string, rank int64) (before, behind int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	behind = -1
	for at, r := range c.chart(name).at {
		switch {
		case r < rank:
			before = max(before, at)
		case behind < 0 || at < behind:
			behind = at
		}
	}
	if behind <= before {
		behind = -1 // from before the list shifted
	}
	return before, behind
}

// met notes where a call is that the list also knows by another name, or by "".
func (c *Charts) met(name string, l *call.Log, other string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chart(name)
	if len(c.homes) >= maxHomes {
		clear(c.homes)
	}
	c.homes[l.ID.Key] = Home{name, l.StartedAt}
	for _, key := range []string{l.CallID, other} {
		if key != "" {
			c.homes[key] = Home{name, l.StartedAt}
		}
	}
}

// Home is where the call with this key, or CallID, was met last.
func (c *Charts) Home(key string) (Home, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.homes[key]
	return h, ok
}

// cut notes how many rows a page of the list has at most.
func (c *Charts) cut(name string, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if most > 0 {
		c.chart(name).most = most
	}
}

// most is how many rows to ask for, of at most n.
func (c *Charts) most(name string, n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return min(n, cmp.Or(c.chart(name).most, n))
}

func (c *Charts) loosen(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chart(name).loose = time.Now()
}

func (c *Charts) isLoose(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.chart(name).loose
	return !at.IsZero() && time.Since(at) < looseFor
}
