package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/mirror/store"
)

// manyTongues are calls whose words are split and folded by more than ASCII.
func manyTongues(n int) (logs []*call.Log) {
	for i := range n {
		words := []string{
			"ฉันต้องการจองโต๊ะสำหรับสี่คนคืนนี้", "Die Straße ist gesperrt", "注文番号は１２３４です", "مُحَمَّد يريد الإلغاء",
			"ﾃｽﾄの電話です", "ខ្ញុំចង់កក់តុ", "please ﬁle the oﬃce report", "in\u00adformation",
		}[i%8]
		logs = append(logs, spoken(fmt.Sprint(i+1), words, end.Add(-time.Duration(i)*time.Second)))
	}
	return logs
}

var tongues = []string{"จองโต๊ะ", "strasse", "1234", "محمد", "テスト", "កក់តុ", "office file", "information", `"order number" OR จอง`}

// The index finds what Match matches, in every script and order.
func TestIndexAgreesWithMatchInEveryScript(t *testing.T) {
	logs := manyTongues(80)
	s := filled(t, "", logs)
	for _, query := range tongues {
		text := said(t, query)
		want := 0
		for _, l := range logs {
			if _, ok := text.Match(l, ""); ok {
				want++
			}
		}
		assert.Positive(t, want, query)
		for _, order := range []call.Order{call.Newest, call.Relevance} {
			p := find(t, s, call.Query{Text: text, Order: order, Limit: 100, Exhaust: true})
			assert.Len(t, p.Logs, want, "%s by %s", query, order)
			for _, hit := range p.Hits {
				assert.NotEmpty(t, hit.Turns, query)
			}
		}
	}
}

// A copy whose words were split otherwise is indexed anew, by parts, while
// commits and purges go on; until it is whole, questions about words are refused
// and all others answered.
func TestOldCopyIsIndexedAnew(t *testing.T) {
	path := onDisk(t)
	old, err := store.Open(ctx, store.Options{Path: path})
	require.NoError(t, err)
	logs := manyTongues(1200)
	commit(t, old, store.Change{Source: "s", Put: logs})
	old.Age(t)
	require.NoError(t, old.Close())

	s := store.OpenIdle(t, path)
	s.Impatient(time.Millisecond)
	require.True(t, s.IndexSome(t))
	_, err = s.Find(ctx, call.Query{Text: said(t, "strasse")})
	var refused *call.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, call.Unavailable, refused.Kind)
	assert.Contains(t, refused.Error(), "made anew: 41 % are done")
	assert.Equal(t, 1200, *find(t, s, call.Query{Limit: 5}).Total)
	changed := spoken("9", "gar keine Strasze", logs[8].StartedAt)
	fresh := spoken("9999", "noch eine STRASSE", end.Add(time.Second))
	commit(t, s, store.Change{Source: "s", Put: []*call.Log{changed, fresh}, Gone: []string{"2", "10"}, ReadAt: end.Add(time.Minute)})
	require.NoError(t, s.Close(), "stopped halfway")

	s = open(t, path)
	want := store.OpenIdle(t, "")
	commit(t, want, store.Change{Source: "s", Put: logs})
	commit(t, want, store.Change{Source: "s", Put: []*call.Log{changed, fresh}, Gone: []string{"2", "10"}, ReadAt: end.Add(time.Minute)})
	for _, query := range append(tongues, "strasze", "otherwise OR strasze", "strasse -gesperrt") {
		for _, order := range []call.Order{call.Newest, call.Relevance} {
			q := call.Query{Text: said(t, query), Order: order, Limit: 400, Exhaust: true}
			got, expected := find(t, s, q), find(t, want, q)
			require.Len(t, got.Logs, len(expected.Logs), query)
			for i := range got.Logs {
				assert.Equal(t, expected.Logs[i].ID, got.Logs[i].ID)
			}
		}
	}
	assert.Equal(t, store.Written{Same: 1}, commit(t, s, store.Change{Source: "s", Put: logs[2:3], ReadAt: end.Add(time.Hour)}))
	assert.False(t, s.IndexSome(t), "nothing is left to do")
}

// A copy that was just made has its index.
func TestNewCopyNeedsNoReindexing(t *testing.T) {
	s := store.OpenIdle(t, onDisk(t))
	assert.False(t, s.IndexSome(t))
	commit(t, s, store.Change{Source: "s", Put: calltest.Logs("s", 5, 4, end)})
	assert.False(t, s.IndexSome(t))
}
