package store

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"call-logs-mcp/internal/call"
)

// Relevance is BM25 over a whole call, with the words of callers weighing
// double, and long calls punished less than usual: measured on the public
// corpora (see TestQuality), not tuned to them.
const (
	saturation = 1.2
	slope      = 0.3
)

// roleWeight is what a word of each column weighs.
var roleWeight = [columnCount]float32{agentWords: 1, callerWords: 2, toolWords: 1, payloadWords: 0.3, systemWords: 1, otherWords: 1}

// How much is ranked. Matches beyond are left out, the oldest first, and the
// page says so.
const (
	maxRanked   = 2500 // matches
	maxExamined = 8000 // matches of the words, of which a filter keeps some
	leastRanked = 100  // if a filter keeps fewer, more are examined
)

// A want is one thing that a question by relevance looks for: a word with its
// inflections, or some alternatives.
type want struct {
	terms []call.Term
	calls int64 // about how many have it
	idf   float64
}

// ranking is what relevance() reads and writes: of each phrase of the running
// query, whose want it is, negative for none; and what it found in each call.
type ranking struct {
	phrase []int
	wants  int
	found  []float32 // for each call that was looked into: its length, and how often it says each want
}

// registerRank gives FTS5 the function relevance(words). It notes what a call
// says of the running query, and returns where.
func (c *conn) registerRank(api *fts5.API) error {
	return api.CreateFunction("relevance", func(f fts5.Context, ctx sqlite3.Context, _ ...sqlite3.Value) {
		at := len(c.ranks.found)
		if err := c.ranks.look(f, c.memo.length); err != nil {
			ctx.ResultError(err)
			return
		}
		ctx.ResultInt(at)
	})
}

func (r *ranking) look(f fts5.Context, length func(int64) float32) error {
	at := len(r.found)
	r.found = append(r.found, make([]float32, r.wants+1)...)
	if length != nil {
		r.found[at] = length(f.RowID())
	} else {
		words, err := f.ColumnSize(-1)
		if err != nil {
			return err
		}
		payload, err := f.ColumnSize(payloadWords)
		if err != nil {
			return err
		}
		r.found[at] = float32(words - payload)
	}
	n, err := f.InstCount()
	if err != nil {
		return err
	}
	for i := range n {
		phrase, col, _, err := f.Inst(i)
		if err != nil {
			return err
		}
		if phrase < len(r.phrase) && r.phrase[phrase] >= 0 {
			r.found[at+1+r.phrase[phrase]] += roleWeight[col]
		}
	}
	return nil
}

// A search is a question by relevance.
type search struct {
	*question
	must  []want // each is required
	wants []want // each is worth something
	not   []call.Term
	skip  int64 // the id of the call that the others shall be like
	show  *call.Text

	logs  map[int64]*call.Log // that were decoded to rank them
	calls int64               // in the store
	among *sample             // of the calls that the filter lets through; nil for all
}

// A score is the place of a call in the order of relevance, with value as
// call.Mark has it.
type score struct{ id, value int64 }

// relevant answers a question in the order of relevance.
func (s *Store) relevant(c *conn, q call.Query) (call.Page, error) {
	q.Order = call.Relevance
	if q.Text == nil && q.Similar == nil {
		return call.Page{}, &call.Error{Kind: call.Invalid, Msg: "Relevance needs words to look for, or a call to be like."}
	}
	x := &search{}
	var err error
	if x.question, err = s.question(c, q, ""); err != nil {
		return call.Page{}, err
	}
	if err := x.understand(); err != nil {
		return call.Page{}, err
	}
	key := questionKey(q)
	list, truncated, known := []score(nil), false, false
	if q.After != nil {
		list, truncated, known = s.walks.get(key)
	}
	if !known {
		if err := s.recall(c, q.Where, true); err != nil {
			return call.Page{}, err
		}
		if list, truncated, err = x.rank(); err != nil {
			return call.Page{}, err
		}
		s.walks.put(key, list, truncated)
	}
	p := call.Page{Window: call.Window{From: x.from, To: x.to}, Coverage: call.Coverage{Complete: true}}
	if truncated {
		p.Ranked = len(list)
	}
	if q.After == nil && !truncated {
		p.Total = new(len(list))
	} else if q.After == nil {
		p.Notes = append(p.Notes, fmt.Sprintf("more calls match than the %d newest, which were ranked", len(list)))
	}
	return p, x.page(&p, list)
}

// questionKey names what is asked, without where in the answer it goes on.
func questionKey(q call.Query) string {
	var b strings.Builder
	if q.Where != nil {
		b.WriteString(q.Where.String())
	}
	if q.Text != nil {
		b.WriteString("\x00" + q.Text.String())
	}
	fmt.Fprintf(&b, "\x00%s\x00%v\x00%t", q.Role, q.Similar, hidden(q.View))
	return b.String()
}

// understand reads the query: phrases in quotes are required, other words are
// wanted in any of their inflections, and the rarer the more.
func (x *search) understand() error {
	calls, err := x.int(`SELECT sum(calls) FROM sources`)
	if err != nil {
		return err
	}
	x.calls = calls
	if x.among, err = x.sampled(); err != nil {
		return err
	}
	if x.q.Text != nil {
		all, not := x.q.Text.Terms()
		x.not = not
		for _, group := range all {
			w := want{terms: group}
			if x.q.Similar != nil || !slices.ContainsFunc(group, func(t call.Term) bool { return !t.Quoted }) {
				x.must = append(x.must, w)
				continue
			}
			x.wants = append(x.wants, w)
		}
	}
	if x.q.Similar != nil {
		if err := x.alike(calls); err != nil {
			return err
		}
	}
	for i := range x.wants {
		if err := x.widen(&x.wants[i], calls); err != nil {
			return err
		}
	}
	for i := range x.must {
		if err := x.weigh(&x.must[i], calls); err != nil {
			return err
		}
	}
	var shown [][]call.Term
	var one []call.Term
	for _, w := range slices.Concat(x.must, x.wants) {
		one = append(one, w.terms...)
	}
	x.show = call.TextOf(append(shown, one), nil)
	return nil
}

// widen adds the inflections of single words, and weighs what results.
func (x *search) widen(w *want, calls int64) error {
	terms := w.terms
	known := true
	for _, t := range w.terms {
		if t.Quoted || t.Prefix || len(t.Words) != 1 || x.q.Similar != nil {
			known = known && x.q.Similar != nil && w.calls > 0
			continue
		}
		forms, n, err := x.forms(t.Words[0], hidden(x.q.View))
		if err != nil {
			return err
		}
		known = known && n >= 0
		w.calls += n
		for _, form := range forms[1:] {
			terms = append(terms, call.Term{Words: []string{form}})
		}
	}
	w.terms = terms
	if known && calls > fewCalls {
		w.idf = x.value(*w)
		return nil
	}
	return x.weigh(w, calls)
}

// Where there are few calls, or the vocabulary does not know, the index is
// asked how many have a want: of maxProbe at most.
const (
	fewCalls = 5000
	maxProbe = 5000
)

func (x *search) weigh(w *want, calls int64) (err error) {
	w.calls, err = x.int(`SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)`, anyOf(w.terms, markOf(x.q.View)), maxProbe)
	w.idf = x.value(*w)
	return err
}

// value is what a want is worth: the rarer it is among the calls that the
// filter lets through, the more (Robertson and Spärck Jones, never negative).
func (x *search) value(w want) float64 {
	share := (float64(min(w.calls, x.calls)) + 0.5) / (float64(x.calls) + 1)
	if t := w.terms[0]; x.among != nil && len(t.Words) == 1 && !t.Prefix {
		share = x.among.share(t.Words[0], share)
	}
	return max(0.01, math.Log(1+(1-share)/share))
}

// alike wants the most characteristic words of the call that others shall be
// like: those that it says often and few others say.
func (x *search) alike(calls int64) error {
	id := *x.q.Similar
	row, err := x.int(`SELECT id FROM calls WHERE key = ? AND source = (SELECT id FROM sources WHERE name = ?)`, sortableKey(id.Key), id.Source)
	if err == nil && row == 0 {
		row, err = x.int(`SELECT id FROM calls WHERE call_id = ? AND source = (SELECT id FROM sources WHERE name = ?) ORDER BY id DESC LIMIT 1`, id.Key, id.Source)
	}
	if err != nil {
		return err
	}
	if row == 0 {
		return &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("No call %.80q of %s in the local copy.", id.Key, id.Source)}
	}
	like, err := x.load(row)
	if err != nil {
		return err
	}
	like = x.q.View.Of(like)
	x.skip = row
	said := map[string]float64{}
	for i := range like.Turns {
		turn := &like.Turns[i]
		if !x.q.Role.Hears(turn.Role) {
			continue
		}
		for _, part := range turn.Parts() {
			for word := range call.Words(part) {
				if counted(word) && len(word) > 2 {
					said[word] += float64(roleWeight[columnOf(turn.Role)])
				}
			}
		}
	}
	return x.characteristic(said, calls)
}

// maxAlike is how many words make a call known.
const maxAlike = 12

func (x *search) characteristic(said map[string]float64, calls int64) error {
	var wants []want
	worth := map[string]float64{}
	for _, word := range keysOf(said) {
		n, err := x.said(word, hidden(x.q.View))
		if err != nil {
			return err
		}
		w := want{terms: []call.Term{{Words: []string{word}}}, calls: n}
		if calls <= fewCalls {
			if err := x.weigh(&w, calls); err != nil {
				return err
			}
		}
		w.idf = x.value(w)
		if w.calls > 1 { // what no other call says finds none
			worth[word] = w.idf * said[word] / (said[word] + saturation)
			wants = append(wants, w)
		}
	}
	slices.SortFunc(wants, func(a, b want) int {
		switch x, y := worth[a.terms[0].Words[0]], worth[b.terms[0].Words[0]]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return strings.Compare(a.terms[0].Words[0], b.terms[0].Words[0])
	})
	x.wants = wants[:min(len(wants), maxAlike)]
	return nil
}

// page puts the part of list behind q.After into p. Calls of equal value are
// put in order as they are met.
func (x *search) page(p *call.Page, list []score) error {
	for i := 0; i < len(list); {
		tie := i
		for tie < len(list) && list[tie].value == list[i].value {
			tie++
		}
		if after := x.q.After; after != nil && list[i].value < after.Value {
			i = tie
			continue
		}
		var logs []*call.Log
		for _, at := range list[i:tie] {
			l := x.logs[at.id]
			var err error
			if l == nil {
				if l, err = x.find(at.id); err != nil {
					return err
				}
			}
			mark := call.Mark{Value: at.value}
			if l != nil {
				mark.ID = l.ID
			}
			if l != nil && (x.q.After == nil || mark.Compare(x.q.After) > 0) {
				logs = append(logs, l)
			}
		}
		slices.SortFunc(logs, func(a, b *call.Log) int {
			return (&call.Mark{ID: a.ID}).Compare(&call.Mark{ID: b.ID})
		})
		for _, l := range logs {
			if len(p.Logs) == x.limit {
				p.Next = p.MarkAt(call.Relevance, x.limit-1)
				p.Coverage.Searched = len(list)
				return nil
			}
			hit, _ := x.show.Match(x.q.View.Of(l), x.q.Role)
			hit.Score = (float64(-list[i].value) + 0.5) / 1e6 // so that Page.MarkAt finds the value again
			p.Logs, p.Hits = append(p.Logs, l), append(p.Hits, hit)
		}
		i = tie
	}
	p.Coverage.Searched = len(list)
	return nil
}

// find is load, with nil for a call that was taken away since it was ranked.
func (x *search) find(id int64) (*call.Log, error) {
	n, err := x.int(`SELECT count(*) FROM records WHERE id = ?`, id)
	if err != nil || n == 0 {
		return nil, err
	}
	return x.readable(id)
}

// filtered says whether there is more to ask of a call than its words.
func (x *search) filtered() bool { return x.q.Where != nil }
