package app

import (
	"context"
	"errors"
	"fmt"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror/store"
)

// scopes are what the copy may hold of each source.
func (h *house) scopes() map[string]string {
	out := map[string]string{}
	for _, s := range h.configured {
		out[s.Name] = call.Confinement{Project: s.ProjectID, Agents: s.AgentIDs}.String()
	}
	return out
}

// lock makes this process the one of all that share the copy which writes to it,
// until it ends, and the copy one of what is configured. held is another process
// that writes it.
func (h *house) lock(ctx context.Context, db *store.Store) (unlock func(), held *store.HeldError, err error) {
	unlock, err = db.Lock(ctx)
	if errors.As(err, &held) {
		return func() {}, held, db.Expect(ctx, h.scopes())
	}
	if err != nil {
		return nil, nil, err
	}
	removed, err := db.Claim(ctx, h.scopes())
	if err != nil {
		unlock()
		return nil, nil, err
	}
	if removed > 0 {
		h.logger.Warn("the copy was filled for other projects or agents; it is filled anew", "removed", removed)
	}
	return unlock, nil, nil
}

// elsewhere is a sentence for the operator about a copy of something else.
func elsewhere(c config.Copy) string {
	return fmt.Sprintf("The copy at %s was filled for other projects or agents; call-logs-mcp sync fills it anew for these.", c.Mirror)
}
