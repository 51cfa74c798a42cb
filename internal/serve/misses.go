package serve

import (
	"fmt"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
)

// How many ids that are not there, or not his, a principal may ask upstreams for:
// each costs a search, of a dozen requests at some.
const (
	missesPerMinute = 6
	missesAtOnce    = 5
)

func tooManyMisses(wait time.Duration) error {
	return &call.Error{
		Kind: call.RateLimited, Msg: "Too many ids were asked for that are not there.",
		Hint: fmt.Sprintf("Take ids from list_call_logs and search_transcripts. An id that was not shown can be asked for in %d s.", 1+int(wait.Seconds())),
	}
}

// spent says after how long another miss may be spent under key; 0 is now.
func (b *buckets) spent(key string) time.Duration {
	now := b.now()
	if tokens := b.of(key, now).TokensAt(now); tokens < 1 {
		return time.Duration((1 - tokens) / float64(b.limit) * float64(time.Second))
	}
	return 0
}

func (b *buckets) spend(key string) {
	now := b.now()
	b.of(key, now).AllowN(now, 1)
}

// shown remembers which calls principals were shown in lists: these may be asked
// for although a copy does not have them, as when they are older than it goes
// back. The oldest are forgotten.
type shown struct {
	mu        sync.Mutex
	now, once map[shownKey]bool
}

type shownKey struct {
	who string
	id  call.ID
}

// mostShown is how many each of the two generations holds.
const mostShown = 10_000

func (s *shown) add(who string, logs []*call.Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range logs {
		if len(s.now) >= mostShown {
			s.once, s.now = s.now, nil
		}
		if s.now == nil {
			s.now = map[shownKey]bool{}
		}
		s.now[shownKey{who, l.ID}] = true
	}
}

func (s *shown) has(who string, id call.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := shownKey{who, id}
	return s.now[k] || s.once[k]
}
