package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

func keysIn(p call.Page) (keys []string) {
	for _, l := range p.Logs {
		keys = append(keys, l.ID.Key)
	}
	return keys
}

func TestRelevance(t *testing.T) {
	s := open(t, "")
	put := func(key string, words ...string) *call.Log {
		l := spoken(key, "", end.Add(time.Duration(len(key))*time.Hour))
		for i, w := range words {
			role, text, _ := strings.Cut(w, ": ")
			l.Turns = append(l.Turns[:i], call.Turn{Index: i + 1, Role: call.Role(role), Text: text})
		}
		return l
	}
	logs := []*call.Log{
		put("refund", "agent: How can I help?", "caller: I want my money refunded for the broken kettle."),
		put("kettle", "agent: We sell a kettle.", "caller: Thanks."),
		put("both", "agent: refunding is what we do", "caller: a kettle please"),
		put("neither", "agent: Good morning.", "caller: My sugar has been high."),
		put("phrase", "agent: The exact words are not these.", "caller: these are the exact phrase words"),
	}
	commit(t, s, store.Change{Source: "s", Put: logs})
	ask := func(words string, change ...func(*call.Query)) call.Page {
		q := call.Query{Text: said(t, words), Order: call.Relevance}
		for _, c := range change {
			c(&q)
		}
		return find(t, s, q)
	}
	assert.Equal(t, "refund", keysIn(ask("refund broken kettle"))[0])
	assert.ElementsMatch(t, []string{"refund", "both"}, keysIn(ask("refunds")), "inflections count")
	assert.Equal(t, []string{"phrase"}, keysIn(ask(`"exact phrase" kettle`)), "what is quoted is required, exactly")
	assert.NotContains(t, keysIn(ask("kettle -refunding")), "both")
	assert.Equal(t, "neither", keysIn(ask("my sugar has been high"))[0])
	assert.Equal(t, []string{"kettle"}, keysIn(ask("kettle", func(q *call.Query) { q.Role = call.RoleAgent })))
	p := ask("refunds")
	assert.Equal(t, 2, *p.Total)
	for i, l := range p.Logs {
		assert.NotEmpty(t, p.Hits[i].Turns, l.ID.Key)
		assert.Positive(t, p.Hits[i].Score)
	}
	p = find(t, s, call.Query{Order: call.Relevance, Similar: &logs[0].ID})
	assert.NotContains(t, keysIn(p), "refund", "a call is not like itself")
	_, err := s.Find(ctx, call.Query{Order: call.Relevance})
	assert.ErrorContains(t, err, "needs words")
	_, err = s.Find(ctx, call.Query{Order: call.Relevance, Similar: &call.ID{Source: "s", Key: "none"}})
	assert.ErrorContains(t, err, "No call")
}

// A walk by relevance meets each call that some word of the question is in, once
// and in order, while others come and go; those that came may be missed.
func TestWalksByRelevance(t *testing.T) {
	logs := calltest.Logs("s", 150, 31, end)
	at, made := end, 0
	rapid.Check(t, func(t *rapid.T) {
		s, err := store.Open(ctx, store.Options{})
		require.NoError(t, err)
		defer s.Close()
		_, err = s.Commit(ctx, store.Change{Source: "s", Put: logs, ReadAt: end})
		require.NoError(t, err)
		words := pick(t, "words", []string{"refund order", "order number you", "退款", "“charged twice” sorry", "again -refund", "no ok", "ORD-12345678 3", "lookup order found"})
		text, err := call.ParseText(words)
		require.NoError(t, err)
		q := call.Query{Text: text, Order: call.Relevance, Limit: rapid.IntRange(1, 20).Draw(t, "limit")}
		if rapid.Bool().Draw(t, "filtered") {
			q.Where = filter.Cond{Field: "success", Op: filter.Eq, Value: true}
		}
		met, gone := map[call.ID]int{}, map[call.ID]bool{}
		left := logs
		for {
			p, err := s.Find(ctx, q)
			require.NoError(t, err)
			for i, l := range p.Logs {
				met[l.ID]++
				mark := p.MarkAt(call.Relevance, i)
				require.True(t, q.After == nil || mark.Compare(q.After) > 0, "out of order")
				q.After = mark
			}
			if p.Next == nil {
				break
			}
			require.Equal(t, q.After, p.Next)
			at, made = at.Add(time.Second), made+1
			was := left
			left = change(t, s, left, at, made)
			for _, l := range was {
				if !slices.Contains(left, l) { // gone, or another version
					gone[l.ID] = true
				}
			}
		}
		must, _ := call.ParseText(words)
		for _, l := range logs {
			_, ok := must.Match(l, "")
			if ok && filter.Match(q.Where, l) && !gone[l.ID] {
				require.Equal(t, 1, met[l.ID], "%s", l.ID)
			}
			require.LessOrEqual(t, met[l.ID], 1, "%s", l.ID)
		}
	})
}

func TestClosed(t *testing.T) {
	s, err := store.Open(ctx, store.Options{Path: onDisk(t)})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Find(ctx, call.Query{})
	assert.Error(t, err)
	_, err = s.Commit(ctx, store.Change{Source: "s"})
	assert.Error(t, err)
}

// A word that nobody says takes nothing away from a common one.
func TestAWordThatNobodySays(t *testing.T) {
	s := open(t, "")
	var logs []*call.Log
	for i := range 4000 { // more than are ranked
		logs = append(logs, spoken(fmt.Sprint(i), "a refund please", end.Add(-time.Duration(i)*time.Minute)))
	}
	commit(t, s, store.Change{Source: "s", Put: logs})
	p := find(t, s, call.Query{Text: said(t, "zebra refund"), Order: call.Relevance, Limit: 5})
	assert.Len(t, p.Logs, 5)
}
