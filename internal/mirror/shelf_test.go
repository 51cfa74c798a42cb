package mirror

import (
	"context"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// A shelf is a ledger of several sources, each with a book of its own.
type shelf map[string]volume

type volume struct {
	ledger
	book *book
}

func (s shelf) State(ctx context.Context, source string) ([]byte, error) {
	return s[source].State(ctx, source)
}

func (s shelf) Rows(ctx context.Context, source string, from, to time.Time, idFrom, idTo int64) ([]store.Row, error) {
	return s[source].Rows(ctx, source, from, to, idFrom, idTo)
}

func (s shelf) Calls(ctx context.Context, source string, from, to time.Time) (int, error) {
	return s[source].Calls(ctx, source, from, to)
}

func (s shelf) Leaves(ctx context.Context, source string, from, to time.Time) ([]store.Leaf, error) {
	return s[source].Leaves(ctx, source, from, to)
}

func (s shelf) Commit(ctx context.Context, c store.Change) (store.Written, error) {
	return s[c.Source].Commit(ctx, c)
}

func (s shelf) Purge(ctx context.Context, sel store.Selection) (removed int, err error) {
	for name, v := range s {
		if sel.Source == "" || sel.Source == name {
			n, err := v.Purge(ctx, sel)
			if removed += n; err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

// Stored is Options.Stored.
func (s shelf) Stored(ctx context.Context, id call.ID) (*call.Log, error) {
	return s[id.Source].book.Stored(ctx, id)
}
