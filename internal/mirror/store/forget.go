package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// A Forgotten is what Forget came to.
type Forgotten struct {
	Removed []call.ID // calls that were stored
	Places  []string  // where traces of them were looked for
	Residue []string  // the places where there still is one
}

// Forget is Purge of calls or a number that never come back: of each, a hash with
// a key that only this database has is kept, by which Commit leaves out what a
// sync reads again. Then it looks for traces.
func (s *Store) Forget(ctx context.Context, sel Selection) (out Forgotten, err error) {
	if len(sel.IDs) == 0 && sel.Number == "" {
		return out, errors.New("store: only calls and numbers can be forgotten")
	}
	sel.forget = true
	var traces []string // texts that must be in no file
	_, err = s.purgeAll(ctx, sel, func(id call.ID, callID string) {
		out.Removed = append(out.Removed, id)
		if len(callID) >= enoughBytes {
			traces = append(traces, callID)
		}
	})
	if err != nil {
		return out, err
	}
	if sel.Number != "" {
		traces = append(traces, sel.Number, digitsOf(sel.Number))
	}
	err = errors.Join(s.lookInTables(ctx, sel, &out), s.lookInFiles(traces, &out))
	return out, err
}

// enoughBytes is how long a text is that stands in a file by no accident.
const enoughBytes = 7

// hashOf is the hash of what is forgotten, under the key of this database.
func (c *conn) hashOf(kind string, parts ...string) ([]byte, error) {
	var key []byte
	_, err := c.first(`SELECT value FROM meta WHERE name = 'forget'`, nil, func(stmt *sqlite3.Stmt) { key = stmt.ColumnBlob(0, nil) })
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	for _, part := range append([]string{kind}, parts...) {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return h.Sum(nil), nil
}

func (c *conn) forget(kind string, parts ...string) error {
	hash, err := c.hashOf(kind, parts...)
	if err != nil {
		return err
	}
	return c.do(`INSERT OR IGNORE INTO forgotten(hash) VALUES(?)`, hash)
}

// isForgotten reports a call that must not be stored any more.
func (c *conn) isForgotten(l *call.Log) (bool, error) {
	asked := [][]string{{"call", l.ID.Source, l.ID.Key}}
	if l.CallID != "" {
		asked = append(asked, []string{"call", l.ID.Source, l.CallID})
	}
	if number := digitsOf(l.Customer); number != "" {
		asked = append(asked, []string{"number", number})
	}
	for _, parts := range asked {
		hash, err := c.hashOf(parts[0], parts[1:]...)
		if err != nil {
			return false, err
		}
		n, err := c.int(`SELECT EXISTS (SELECT 1 FROM forgotten WHERE hash = ?)`, hash)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// digitsOf is a number without its spelling.
func digitsOf(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// spellings are the stored spellings of a number, and itself.
func (c *conn) spellings(number string) ([]string, error) {
	out, want := []string{number}, digitsOf(number)
	err := c.each(`SELECT DISTINCT customer FROM calls WHERE customer IS NOT NULL`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		if s := stmt.ColumnText(0); want != "" && s != number && digitsOf(s) == want {
			out = append(out, s)
		}
		return true, nil
	})
	return out, err
}

// remember writes down what sel forgets, the calls that are stored of it among
// that, and takes the keys out of the tombstones.
func (c *conn) remember(sel Selection, where string, args []any, found func(call.ID, string)) error {
	if sel.Number != "" {
		if err := c.forget("number", digitsOf(sel.Number)); err != nil {
			return err
		}
	}
	ids := slices.Clone(sel.IDs)
	err := c.each(`SELECT (SELECT name FROM sources WHERE id = calls.source), key, call_id FROM calls WHERE `+where, args, func(stmt *sqlite3.Stmt) (bool, error) {
		id, callID := call.ID{Source: stmt.ColumnText(0), Key: plainKey(stmt.ColumnRawBlob(1))}, stmt.ColumnText(2)
		found(id, callID)
		if ids = append(ids, id); callID != "" {
			ids = append(ids, call.ID{Source: id.Source, Key: callID})
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.forget("call", id.Source, id.Key); err != nil {
			return err
		}
		if err := c.do(`DELETE FROM tombs WHERE key = ? AND source = (SELECT id FROM sources WHERE name = ?)`, sortableKey(id.Key), id.Source); err != nil {
			return err
		}
	}
	return nil
}

// lookInTables looks for rows of what was removed.
func (s *Store) lookInTables(ctx context.Context, sel Selection, out *Forgotten) error {
	tables := []struct{ name, query string }{
		{"calls", `SELECT count(*) FROM calls WHERE `},
		{"records", `SELECT count(*) FROM records WHERE id NOT IN (SELECT id FROM calls)`},
		{"metrics", `SELECT count(*) FROM metrics WHERE call NOT IN (SELECT id FROM calls)`},
		{"metadata", `SELECT count(*) FROM extras WHERE call NOT IN (SELECT id FROM calls)`},
		{"latencies", `SELECT count(*) FROM latencies WHERE call NOT IN (SELECT id FROM calls)`},
		{"index of words", `SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT id FROM calls)`},
	}
	return s.read(ctx, s.readers, func(c *conn) error {
		where, args, err := c.whereOf(sel)
		if err != nil {
			return err
		}
		for _, t := range tables {
			var n int64
			if strings.HasSuffix(t.query, " WHERE ") {
				n, err = c.int(t.query+where, args...)
			} else {
				n, err = c.int(t.query)
			}
			if err != nil {
				return err
			}
			if out.Places = append(out.Places, t.name); n > 0 {
				out.Residue = append(out.Residue, t.name)
			}
		}
		return nil
	})
}

// lookInFiles looks for the bytes of texts in all files of the database, those
// that were set aside among them.
func (s *Store) lookInFiles(texts []string, out *Forgotten) error {
	texts = slices.DeleteFunc(texts, func(t string) bool { return len(t) < enoughBytes })
	if s.path == "" {
		return nil
	}
	for _, file := range append([]string{s.path}, Aside(s.path)...) {
		for _, beside := range []string{"", "-wal", "-shm"} {
			found, err := holds(file+beside, texts)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if out.Places = append(out.Places, file+beside); found {
				out.Residue = append(out.Residue, file+beside)
			}
		}
	}
	return nil
}

// holds reports whether a file has one of texts in it.
func holds(path string, texts []string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	longest := 0
	for _, t := range texts {
		longest = max(longest, len(t))
	}
	buf, kept := make([]byte, 1<<20), 0
	for {
		n, err := f.Read(buf[kept:])
		for _, t := range texts {
			if bytes.Contains(buf[:kept+n], []byte(t)) {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		tail := min(kept+n, longest)
		copy(buf, buf[kept+n-tail:kept+n])
		kept = tail
	}
}
