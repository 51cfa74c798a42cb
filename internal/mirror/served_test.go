package mirror

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/telzino"
	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/client/zudu"
	"call-logs-mcp/client/zudu/zudutest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// A pier is Telzino and Zudu as they are served, copied into one file.
type pier struct {
	at      atomic.Int64 // Unix seconds
	telzino *telzinotest.API
	zudu    *zudutest.API
	path    string
	db      *store.Store
	engine  *Engine
	mirror  *Mirror
}

func (p *pier) now() time.Time { return time.Unix(p.at.Load(), 0).UTC() }

// secret is a word that only call i of a source has. An index writes words without
// what they begin with in common, so that they are looked for by their ends.
func secret(source string, i int) string {
	return string(rune('a'+i%26)) + string(rune('a'+i/26)) + ending(source, i)
}

func ending(source string, i int) string { return fmt.Sprintf("q%04d%s", i, source) }

func newPier(t *testing.T, n int) *pier {
	p := &pier{path: filepath.Join(t.TempDir(), "copy", "calls.db")}
	p.at.Store(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC).Unix())
	p.telzino, p.zudu = telzinotest.New(n, p.now), zudutest.New(n, p.now)
	for i, r := range p.telzino.Rows {
		r["transcript_text"] = "[0.00s] agent: Hello\n[1.00s] user: my word is " + secret("t", i)
		delete(r, "transcript_json")
	}
	for i, r := range p.zudu.Rows {
		said := []zudutest.Row{{"role": "user", "content": "my word is " + secret("z", i), "timestamp": 0}}
		r["transcript_object"], r["transcript_with_tool_calls"] = said, said
	}
	limits := rest.Limits{Rate: 1e6, Burst: 1e6}
	a, err := telzino.New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{"client_id": telzinotest.ClientID, "client_secret": telzinotest.Secret}),
		Transport:  demo.Transport(p.telzino), Now: p.now, Limits: limits,
	})
	require.NoError(t, err)
	b, err := zudu.New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{"api_key": zudutest.Key, "api_secret": zudutest.Secret}),
		Transport:  demo.Transport(p.zudu), Now: p.now, Limits: limits,
	})
	require.NoError(t, err)
	p.db, err = store.Open(context.Background(), store.Options{Path: p.path, Now: p.now})
	require.NoError(t, err)
	t.Cleanup(func() { p.db.Close() })
	p.engine, err = New(Options{
		Origins: []Origin{{Name: "telzino", Source: a}, {Name: "zudu", Source: b, Abilities: Abilities{Gets: true}}},
		Ledger:  p.db, Stored: p.db.Get, Now: p.now,
	})
	require.NoError(t, err)
	p.mirror = Open(ReadThrough{Engine: p.engine, Copy: p.db})
	t.Cleanup(p.mirror.Close)
	return p
}

func (p *pier) mark(i int) {
	p.zudu.Mu.Lock()
	defer p.zudu.Mu.Unlock()
	p.zudu.Rows[i]["opt_out_sensitive_data_storage"] = true
}

func (p *pier) within(days int, more ...filter.Expr) filter.Expr {
	return filter.All(append(more, filter.Within("timestamp", p.now().Add(-time.Duration(days)*day), p.now()))...)
}

func (p *pier) search(t *testing.T, word string) call.Page {
	text, err := call.ParseText(word)
	require.NoError(t, err)
	page, err := p.mirror.Find(context.Background(), call.Query{Where: p.within(45), Text: text, Limit: 50, Exhaust: true})
	require.NoError(t, err)
	return page
}

// bytesLeft are the secrets of Zudu's calls that some file still holds.
func (p *pier) bytesLeft(t *testing.T, n int) map[int]bool {
	found := map[int]bool{}
	files, err := os.ReadDir(filepath.Dir(p.path))
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(p.path), f.Name()))
		require.NoError(t, err)
		for i := range n {
			if bytes.Contains(b, []byte(ending("z", i))) {
				found[i] = true
			}
		}
	}
	return found
}

// Sources that only page are copied, searched and counted like any other.
func TestServedSourcesAreCopied(t *testing.T) {
	const n = 120
	p := newPier(t, n)
	ctx := context.Background()
	r, err := p.engine.Cycle(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, 2*n, r.Put)
	again, err := p.engine.Cycle(ctx, nil)
	require.NoError(t, err)
	assert.Zero(t, again.Put+again.Gone)

	live, err := p.mirror.Find(ctx, call.Query{Where: p.within(35), Limit: 500, Exhaust: true})
	require.NoError(t, err)
	assert.Len(t, live.Logs, 2*n)
	assert.NotZero(t, live.AsOf, "the copy answered")
	found := p.search(t, secret("t", 7)+" OR "+secret("z", 9))
	assert.Len(t, found.Logs, 2)
	assert.True(t, found.Coverage.Complete)
	assert.Equal(t, 2*n, found.Coverage.Searched)
	a, err := p.mirror.Aggregate(ctx, call.Aggregation{Where: p.within(35), By: []call.Grouping{{Field: "source"}}})
	require.NoError(t, err)
	assert.Equal(t, 2*n, a.Total.Stats.Calls)
	assert.Len(t, a.Groups, 2)

	p.telzino.Mu.Lock()
	p.telzino.Rows = p.telzino.Rows[1:]
	p.telzino.Mu.Unlock()
	p.at.Add(int64(8 * day / time.Second))
	r, err = p.engine.Cycle(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, 1, r.Gone)
	assert.Empty(t, p.search(t, secret("t", 0)).Logs)
}

// A call that must not be stored is shown live and is in no byte of the copy, and
// answers from the copy say so. Where the mark comes after the words were stored,
// they are taken out again; that no byte is left then is the store's to keep.
func TestOptOutOfServedCalls(t *testing.T) {
	const n = 120
	p := newPier(t, n)
	ctx := context.Background()
	for i := range 5 {
		p.mark(i)
	}
	_, err := p.engine.Cycle(ctx, nil)
	require.NoError(t, err)
	left := p.bytesLeft(t, n)
	assert.Greater(t, len(left), n/2, "the scan sees what is there")
	for i := range 5 {
		assert.False(t, left[i], "call %d", i)
	}
	p.checkMarked(t, n, 5)

	for i := 5; i < 12; i++ {
		p.mark(i)
	}
	p.at.Add(int64(8 * day / time.Second)) // whatever their age, they are read again within
	r, err := p.engine.Cycle(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, 7, r.Purged)
	p.checkMarked(t, n, 12)
}

func (p *pier) checkMarked(t *testing.T, n, marked int) {
	t.Helper()
	ctx := context.Background()
	inZudu := filter.Cond{Field: "source", Op: filter.Eq, Value: "zudu"}
	list, err := p.mirror.Find(ctx, call.Query{Where: p.within(45, inZudu), Limit: 500, Exhaust: true})
	require.NoError(t, err)
	assert.Len(t, list.Logs, n, "a list has them all")
	shown := 0
	for _, l := range list.Logs {
		if l.Sensitive {
			shown++
			_, err := p.db.Get(ctx, l.ID)
			assert.Equal(t, call.NotFound, kind(err))
			got, err := p.mirror.Get(ctx, l.ID)
			require.NoError(t, err)
			assert.Equal(t, l.Turns, got.Turns)
		}
	}
	assert.Equal(t, marked, shown)

	note := fmt.Sprintf("%d calls of zudu in this window must not be stored: only the upstream has them, and this answer leaves them out.", marked)
	found := p.search(t, secret("z", 0)+" OR "+secret("z", n-1))
	assert.Len(t, found.Logs, 1, "a search has what is stored")
	assert.False(t, found.Coverage.Complete)
	assert.Equal(t, 2*n-marked, found.Coverage.Searched)
	require.NotNil(t, found.Coverage.Calls)
	assert.Equal(t, 2*n, *found.Coverage.Calls)
	assert.Contains(t, found.Notes, note)
	a, err := p.mirror.Aggregate(ctx, call.Aggregation{Where: p.within(45)})
	require.NoError(t, err)
	assert.Equal(t, 2*n-marked, a.Total.Stats.Calls)
	assert.False(t, a.Coverage.Complete)
	assert.Contains(t, a.Notes, note)
}
