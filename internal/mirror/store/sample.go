package store

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A sample tells how common words are among the calls that a filter lets
// through: "flight" says much in a thousand calls, and nothing where all are of
// an airline.
type sample struct {
	calls int
	in    map[string]int // calls, by the stem of a word
}

// A sample is made of sampleCalls of the newest sampleFrom calls.
const (
	sampleCalls = 200
	sampleFrom  = 2000
	// prior is how many calls of a sample the share among all calls is worth.
	prior = 20
)

// share corrects the share of calls that say a word.
func (s *sample) share(word string, all float64) float64 {
	return (float64(s.in[stem(word)]) + prior*all) / (float64(s.calls) + prior)
}

// samples keeps those of the last filters, until the store has grown.
type samples struct {
	mu   sync.Mutex
	last []keptSample
}

type keptSample struct {
	filter string
	calls  int64 // in the store, when it was made
	sample *sample
}

// maxSamples bounds them; each takes some 200 KB.
const maxSamples = 12

// sampled is the sample of x's filter, nil where there is none.
func (x *search) sampled() (*sample, error) {
	if x.q.Where == nil {
		return nil, nil
	}
	k, key := &x.store.samples, sampleKey(x.q)
	k.mu.Lock()
	i := slices.IndexFunc(k.last, func(s keptSample) bool { return s.filter == key })
	if i >= 0 && x.calls < k.last[i].calls+k.last[i].calls/10 {
		defer k.mu.Unlock()
		return k.last[i].sample, nil
	}
	k.mu.Unlock()
	s, err := x.sample()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = slices.DeleteFunc(k.last, func(s keptSample) bool { return s.filter == key })
	k.last = slices.Insert(k.last, 0, keptSample{key, x.calls, s})
	k.last = k.last[:min(len(k.last), maxSamples)]
	return s, nil
}

// sampleKey tells filters apart. Windows that move with the time of the question
// share a sample for an hour.
func sampleKey(q call.Query) string {
	from, to, rest := filter.Bounds(q.Where, "timestamp")
	key := fmt.Sprint(hidden(q.View)) + from.Truncate(time.Hour).Format(time.RFC3339) + to.Truncate(time.Hour).Format(time.RFC3339)
	if rest != nil {
		key += rest.String()
	}
	return key
}

func (x *search) sample() (*sample, error) {
	var ids []int64
	err := x.each(`SELECT c.id FROM calls c WHERE `+x.sql+x.within()+` ORDER BY c.id DESC LIMIT ?`, append(slices.Clone(x.args), sampleFrom), func(stmt *sqlite3.Stmt) (bool, error) {
		ids = append(ids, stmt.ColumnInt64(0))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	s := &sample{in: map[string]int{}}
	stems := map[string]string{}
	step := max(1, len(ids)/sampleCalls)
	var some []int64
	for i := 0; i < len(ids); i += step {
		some = append(some, ids[i])
	}
	logs := make([]*call.Log, len(some))
	if err := x.loadAll(some, func(i int, l *call.Log) { logs[i] = x.q.View.Of(l) }); err != nil {
		return nil, err
	}
	for _, l := range logs {
		if l != nil {
			s.add(l, stems)
		}
	}
	return s, nil
}

func (s *sample) add(l *call.Log, stems map[string]string) {
	s.calls++
	mine := map[string]bool{}
	for i := range l.Turns {
		for n, part := range l.Turns[i].Parts() {
			if n == 1 || n == 2 { // what tools are told and answer
				continue
			}
			for word := range call.Words(part) {
				root, ok := stems[word]
				if !ok {
					root = stem(word)
					stems[word] = root
				}
				if !mine[root] {
					mine[root] = true
					s.in[root]++
				}
			}
		}
	}
}
