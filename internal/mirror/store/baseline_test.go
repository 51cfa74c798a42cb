package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// A baseline is what search is compared with: SQLite's BM25 over whole calls
// with Porter stems, any of the words, one index for all corpora.
type baseline struct {
	db   *sqlite3.Conn
	logs []*call.Log // by row
}

func newBaseline(t testing.TB, s *store.Store) *baseline {
	db, err := sqlite3.Open(":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	require.NoError(t, fts5.Register(db))
	require.NoError(t, db.Exec(`CREATE VIRTUAL TABLE said USING fts5(words, content='', tokenize='porter unicode61'); BEGIN`))
	put, _, err := db.Prepare(`INSERT INTO said(rowid, words) VALUES(?, ?)`)
	require.NoError(t, err)
	defer put.Close()
	b := &baseline{db: db, logs: []*call.Log{nil}}
	for q := (call.Query{Limit: 500}); ; {
		p := find(t, s, q)
		for _, l := range p.Logs {
			var words strings.Builder
			for _, turn := range l.Turns {
				words.WriteString(turn.Text + "\n")
			}
			require.NoError(t, put.BindInt(1, len(b.logs)))
			require.NoError(t, put.BindText(2, words.String()))
			require.NoError(t, put.Exec())
			b.logs = append(b.logs, l)
		}
		if q.After = p.Next; p.Next == nil {
			break
		}
	}
	require.NoError(t, db.Exec(`COMMIT`))
	return b
}

// search answers with the ten best.
func (b *baseline) search(t testing.TB, q judged) (p call.Page) {
	words := slices.Collect(call.Words(q.Query))
	stmt, _, err := b.db.Prepare(`SELECT rowid FROM said WHERE said MATCH ? ORDER BY rank`)
	require.NoError(t, err)
	defer stmt.Close()
	require.NoError(t, stmt.BindText(1, `"`+strings.Join(words, `" OR "`)+`"`))
	for len(p.Logs) < 10 && stmt.Step() {
		if l := b.logs[stmt.ColumnInt(0)]; q.Corpus == "*" || l.ID.Source == q.Corpus {
			p.Logs = append(p.Logs, l)
		}
	}
	require.NoError(t, stmt.Err())
	return p
}
