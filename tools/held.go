package tools

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// longestInCursor is how many characters of a filter a cursor carries. Behind a
// longer one, such as a list of a hundred ids, stands its hash.
const longestInCursor = 600

// mostHeld bounds the filters that are held for cursors, the oldest of which go.
const mostHeld = 256

// Held keeps the long filters of cursors, so that a cursor alone goes on with its
// question. A process that does not have the filter needs the arguments again.
type Held struct {
	mu    sync.Mutex
	where map[string]filter.Expr // by hash
	order []string
}

// NewHeld holds nothing yet.
func NewHeld() *Held { return &Held{where: map[string]filter.Expr{}} }

// shorten takes a long filter out of a cursor and holds it.
func (h *Held) shorten(c call.Cursor) call.Cursor {
	long := text(c.Query.Where)
	if h == nil || len(long) <= longestInCursor {
		return c
	}
	c.Held = hashOf(long)
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.where[c.Held]; !ok {
		if h.order = append(h.order, c.Held); len(h.order) > mostHeld {
			delete(h.where, h.order[0])
			h.order = h.order[1:]
		}
	}
	h.where[c.Held] = c.Query.Where
	c.Query.Where = nil
	return c
}

// lengthen puts the filter back into a cursor: the one that is held, or where that
// is gone, again, if it is the same.
func (h *Held) lengthen(c call.Cursor, again func() (filter.Expr, error)) (call.Cursor, error) {
	if c.Held == "" {
		return c, nil
	}
	if h != nil {
		h.mu.Lock()
		where, ok := h.where[c.Held]
		h.mu.Unlock()
		if ok {
			c.Query.Where = where
			return c, nil
		}
	}
	where, err := again()
	if err != nil {
		return c, err
	}
	if _, _, where = filter.Bounds(where, "timestamp"); where == nil || hashOf(text(where)) != c.Held {
		return c, &call.Error{
			Kind: call.Invalid, Msg: "The filters of that cursor are too long for it, and this server does not have them any more.",
			Hint: "Repeat the arguments of the first question beside the cursor.",
		}
	}
	c.Query.Where = where
	return c, nil
}

// hashOf names a filter.
func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
