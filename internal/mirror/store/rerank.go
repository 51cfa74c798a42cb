package store

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"call-logs-mcp/internal/call"
)

// The best calls by their words are looked at again, with their transcripts at
// hand, for two things that counting words in a whole call misses:
//
//   - the best passage: a turn that says several of the wanted words tells more
//     than a call that says each somewhere. Long turns say much, so they count less.
//   - feedback: what the first few have in common is likely what was meant
//     (Rocchio's idea), so calls that say those words too move up.
//
// Both only ever add to a score, so that the calls behind stay behind.
const (
	rerankDepth    = 50
	passageSlope   = 0.02 // by word of the turn
	feedbackFrom   = 10
	feedbackWords  = 10
	feedbackWeight = 0.3
)

// A reading is a call that is looked at again.
type reading struct {
	*score
	base  float64
	words map[string]float64 // what is said, by how often; callers count double
}

// rerank moves the first of list to where they belong.
func (x *search) rerank(list []score) error {
	top := list[:min(len(list), rerankDepth)]
	if len(top) < 2 {
		return nil
	}
	ids := make([]int64, len(top))
	for i := range top {
		ids[i] = top[i].id
	}
	logs, readings := make([]*call.Log, len(top)), make([]reading, len(top))
	for i := range top {
		readings[i].score = &top[i]
	}
	err := x.loadAll(ids, func(i int, l *call.Log) {
		logs[i], readings[i] = l, x.reread(x.q.View.Of(l))
		readings[i].score = &top[i]
		readings[i].base += float64(-top[i].value) / 1e6
	})
	if err != nil {
		return err
	}
	x.logs = map[int64]*call.Log{}
	for i, l := range logs {
		if l != nil {
			x.logs[ids[i]] = l
		}
	}
	slices.SortStableFunc(readings, func(a, b reading) int { return cmp.Compare(b.base, a.base) })
	if x.q.Similar == nil {
		if err := x.feedback(readings); err != nil {
			return err
		}
	}
	for _, r := range readings {
		r.value = -int64(r.base * 1e6)
	}
	slices.SortFunc(top, func(a, b score) int { return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(b.id, a.id)) })
	return nil
}

// reread finds the worth of the best passage of a call, and its words.
func (x *search) reread(l *call.Log) reading {
	r := reading{words: make(map[string]float64, 256)}
	var said []string
	for i := range l.Turns {
		turn := &l.Turns[i]
		if !x.q.Role.Hears(turn.Role) {
			continue
		}
		said = said[:0]
		for n, part := range turn.Parts() {
			for word := range call.Words(part) {
				said = append(said, word)
				if n == 0 && turn.Tool == nil || n == 3 || n == 0 {
					r.words[word] += float64(roleWeight[columnOf(turn.Role)])
				}
			}
		}
		worth := 0.0
		for w := range len(x.must) + len(x.wants) {
			if want := x.at(w); slices.ContainsFunc(want.terms, func(t call.Term) bool { return sayTerm(said, t) }) {
				worth += want.idf
			}
		}
		r.base = max(r.base, worth/(1+passageSlope*float64(len(said))))
	}
	return r
}

// sayTerm reports whether words hold a term, one behind the other.
func sayTerm(words []string, t call.Term) bool {
	last := len(t.Words) - 1
	for i := range words[:max(0, len(words)-last)] {
		if !slices.Equal(words[i:i+last], t.Words[:last]) {
			continue
		}
		if word := words[i+last]; word == t.Words[last] || t.Prefix && strings.HasPrefix(word, t.Words[last]) {
			return true
		}
	}
	return false
}

// feedback finds the words that mark the first of readings, and moves up those
// that say them.
func (x *search) feedback(readings []reading) error {
	first := readings[:min(len(readings), feedbackFrom)]
	in := map[string]int{}
	for _, r := range first {
		for word := range r.words {
			in[word]++
		}
	}
	asked := map[string]bool{}
	for w := range len(x.must) + len(x.wants) {
		for _, t := range x.at(w).terms {
			for _, word := range t.Words {
				asked[word] = true
			}
		}
	}
	idf, worth := map[string]float64{}, map[string]float64{}
	for word, n := range in {
		if n < 3 || asked[word] || !counted(word) {
			continue
		}
		calls, err := x.said(word, hidden(x.q.View))
		if err != nil {
			return err
		}
		idf[word] = x.value(want{calls: calls, terms: []call.Term{{Words: []string{word}}}})
		for _, r := range first {
			if tf := r.words[word]; tf > 0 {
				worth[word] += idf[word] * tf / (tf + saturation)
			}
		}
	}
	words := slices.SortedFunc(maps.Keys(worth), func(a, b string) int {
		return cmp.Or(cmp.Compare(worth[b], worth[a]), strings.Compare(a, b))
	})
	words = words[:min(len(words), feedbackWords)]
	extra := make([]float64, len(readings))
	most := 0.0
	for i, r := range readings {
		for _, word := range words {
			if tf := r.words[word]; tf > 0 {
				extra[i] += idf[word] * tf * (saturation + 1) / (tf + saturation)
			}
		}
		most = math.Max(most, extra[i])
	}
	best := readings[0].base
	for i := range readings {
		if most > 0 {
			readings[i].base += feedbackWeight * best * extra[i] / most
		}
	}
	return nil
}
