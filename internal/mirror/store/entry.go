package store

import (
	"hash/fnv"
	"runtime"
	"sync"
	"sync/atomic"

	"call-logs-mcp/internal/call"
)

// An entry is a log on its way into the database.
type entry struct {
	log   *call.Log
	body  []byte // as a record, not compressed
	hash  int64  // of body
	light int64  // of what a list of calls says of it
	texts [columnCount]string
	words int64 // hash of texts
}

// separator stands between the parts of a transcript, lest a phrase is found
// across two. No query can hold it: the tokenizer of call.Text drops it.
const separator = "\u2063"

// What stands before each word of a part of a turn that is seen otherwise than it
// was said: the part stands in the index twice, as it was said and as it is
// shown. No query can hold them either. Other parts stand there once.
const (
	saidMark  = "\u2064"
	shownMark = "\u2062"
)

// Columns of the full-text index. The commonest comes first: it costs least.
const (
	agentWords = iota
	callerWords
	toolWords    // names of tools, and what is said with them
	payloadWords // their arguments and results
	systemWords
	otherWords
	columnCount
)

func columnOf(role call.Role) int {
	switch role {
	case call.RoleAgent:
		return agentWords
	case call.RoleCaller:
		return callerWords
	case call.RoleTool:
		return toolWords
	case call.RoleSystem:
		return systemWords
	}
	return otherWords
}

// enter encodes logs, on all processors.
func enter(logs []*call.Log) ([]*entry, error) {
	entries, errs := make([]*entry, len(logs)), make([]error, len(logs))
	parallel(len(logs), func(i int) { entries[i], errs[i] = newEntry(logs[i]) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func parallel(n int, f func(int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+15)/16)
	var wait sync.WaitGroup
	for k := range workers {
		wait.Go(func() {
			for i := k; i < n; i += workers {
				f(i)
			}
		})
	}
	wait.Wait()
}

// ahead calls f for 0 to n-1 in turn, by as many workers as there are processors,
// while its caller goes on, and returns a function that waits for the last.
func ahead(n int, f func(worker, i int)) (wait func()) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(worker, int(i))
			}
		})
	}
	return workers.Wait
}

func newEntry(l *call.Log) (*entry, error) {
	body, err := encodeRecord(make([]byte, 0, 6<<10), l)
	if err != nil {
		return nil, err
	}
	light, err := encodeRecord(make([]byte, 0, 6<<10), undetailed(l))
	return &entry{log: l, body: body, hash: sum(body), light: sum(light)}, err
}

func sum(b []byte) int64 {
	h := fnv.New64a()
	h.Write(b)
	return int64(h.Sum64())
}

// Hash is what a stored version of l has as Row.Hash.
func Hash(l *call.Log) (uint64, error) {
	body, err := encodeRecord(nil, l)
	return uint64(sum(body)), err
}

// split finds the words of the call, apart by who said them, and counts them.
func (e *entry) split(said tally, view *call.View) {
	var b [columnCount][]byte
	shown := view.Said(e.log)
	for i := range e.log.Turns {
		turn := &e.log.Turns[i]
		parts := shown[i].Parts()
		for n, part := range turn.Parts() {
			if part == "" && parts[n] == "" {
				continue
			}
			k := columnOf(turn.Role)
			if k == toolWords && (n == 1 || n == 2) {
				k = payloadWords
			}
			if part == parts[n] {
				b[k] = e.add(b[k], part, "", said)
				continue
			}
			b[k] = e.add(b[k], parts[n], shownMark, said)
			b[k] = e.add(b[k], part, saidMark, said)
		}
	}
	h := fnv.New64a()
	for i := range b {
		e.texts[i] = string(b[i])
		h.Write(b[i])
		h.Write([]byte{0})
	}
	e.words = int64(h.Sum64())
}

// add appends the words of a part, each behind mark.
func (e *entry) add(to []byte, part, mark string, said tally) []byte {
	if len(to) > 0 {
		to = append(to, separator+" "...)
	} else {
		to = make([]byte, 0, 2<<10)
	}
	for word := range call.Words(part) {
		to = append(append(append(to, mark...), word...), ' ')
		switch {
		case !counted(word):
		case mark != saidMark:
			said.add(word, e)
		case said[word] == nil || said[word].last != e: // shown to nobody else
			said.add(saidMark+word, e)
		}
	}
	return to
}

// undetailed is l as a list of calls may have it, without what only the record
// of one call carries.
func undetailed(l *call.Log) *call.Log {
	light := *l
	light.Metadata, light.DynamicVariables, light.Detailed = nil, nil, false
	light.Metrics = make([]call.Metric, len(l.Metrics))
	if l.Metrics == nil {
		light.Metrics = nil
	}
	for i, m := range l.Metrics {
		m.Explanation, m.Passed = nil, nil
		light.Metrics[i] = m
	}
	return &light
}

// keepDetails is the new version of a call, from a list, with what only the
// record of the old one told. It is not Detailed: the details may be of before.
func keepDetails(l, old *call.Log) *call.Log {
	out := *l
	if out.Metadata == nil {
		out.Metadata = old.Metadata
	}
	if out.DynamicVariables == nil {
		out.DynamicVariables = old.DynamicVariables
	}
	out.Metrics = make([]call.Metric, len(l.Metrics))
	if l.Metrics == nil {
		out.Metrics = nil
	}
	for i, m := range l.Metrics {
		for _, was := range old.Metrics {
			if was.ID == m.ID && was.Name == m.Name && same(was.Score, m.Score) && was.Value == m.Value {
				if m.Passed = was.Passed; m.Explanation == nil {
					m.Explanation = was.Explanation
				}
			}
		}
		out.Metrics[i] = m
	}
	return &out
}

func same(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
