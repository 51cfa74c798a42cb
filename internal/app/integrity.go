package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror/store"
	"call-logs-mcp/internal/setup"
)

// maxLook is how long a command looks for damage in the file of a copy.
const maxLook = 20 * time.Second

// soundness says in words whether the file of a copy is damaged.
func soundness(ctx context.Context, db *store.Store) string {
	ctx, cancel := context.WithTimeout(ctx, maxLook)
	defer cancel()
	switch whole, err := db.Check(ctx); {
	case err != nil:
		return "DAMAGED: call-logs-mcp sync sets it aside and builds it anew"
	case !whole:
		return fmt.Sprintf("no damage found in %s, the rest was not looked through", maxLook)
	}
	return "no damage"
}

// copyFinding is what doctor says of the copy; nil where none is kept or there is
// none yet.
func (h *house) copyFinding(ctx context.Context, c config.Copy) *setup.Finding {
	if !c.Kept() {
		return nil
	}
	if _, err := os.Lstat(c.Mirror); err != nil {
		return nil
	}
	f := &setup.Finding{About: "copy"}
	db, err := store.Open(ctx, store.Options{Path: c.Mirror, Now: h.tools.Now, View: h.views.masked, Version: h.indexVersion})
	if err != nil {
		f.Failed, f.Said = true, strings.TrimPrefix(err.Error(), "store: ")
		if b := store.Broken(err); b != nil {
			f.Act = b.Remedy
			if b.Damaged {
				f.Act = "call-logs-mcp sync sets it aside and builds it anew; so does the next question."
			}
		}
		return f
	}
	defer db.Close()
	said := soundness(ctx, db)
	f.Said = c.Mirror + ": " + said
	if f.Failed = strings.HasPrefix(said, "DAMAGED"); f.Failed {
		f.Act = "Run call-logs-mcp sync."
	}
	return f
}

// forget removes calls for good, and says where it looked for traces of them.
func forget(ctx context.Context, db *store.Store, sel store.Selection, out io.Writer) error {
	done, err := db.Forget(ctx, sel)
	fmt.Fprintf(out, "%d calls removed\n", len(done.Removed))
	for _, id := range done.Removed {
		fmt.Fprintf(out, "  %s\n", id)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "looked for traces in: %s\n", strings.Join(done.Places, ", "))
	fmt.Fprintf(out, "residue found: %d\n", len(done.Residue))
	for _, place := range done.Residue {
		fmt.Fprintf(out, "  %s\n", place)
	}
	fmt.Fprintln(out, "A keyed hash is kept, so that no sync brings them back.")
	return nil
}
