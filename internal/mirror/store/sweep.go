package store

import (
	"bytes"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// Traces are what calls that were taken away may have been the last to hold:
// their words and strings live in tables that other calls share.
type traces struct {
	words   map[string]bool
	strings map[string]bool
	calls   int
}

// note remembers what to look for when l is gone.
func (t *traces) note(l *call.Log) {
	if t.words == nil {
		t.words, t.strings = map[string]bool{}, map[string]bool{}
	}
	t.calls++
	for i := range l.Turns {
		for _, part := range l.Turns[i].Parts() {
			for word := range call.Words(part) {
				if counted(word) {
					t.words[word] = true
				}
			}
		}
	}
	for _, c := range codedTexts {
		t.strings[c.text(l)] = true
	}
	for i := range l.Metrics {
		t.strings[l.Metrics[i].Value] = true
	}
}

// sweep takes away the words and strings that no call has any more, and makes
// a dictionary anew that holds such.
func (s *Store) sweep(c *conn, t *traces) error {
	s.ids.forget()
	for _, word := range keysOf(t.words) {
		one := call.Term{Words: []string{word}}
		err := s.sweepTerm(c, word, anyOf([]call.Term{one}, shownMark))
		if err == nil {
			err = s.sweepTerm(c, saidMark+word, phrase(one, saidMark))
		}
		if err != nil {
			return err
		}
	}
	if err := sweepStrings(c, t); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM definitions WHERE NOT EXISTS (SELECT 1 FROM metrics WHERE definition = definitions.id)`,
		`DELETE FROM names WHERE NOT EXISTS (SELECT 1 FROM extras WHERE name = names.id) AND NOT EXISTS (SELECT 1 FROM latencies WHERE stage = names.id)`,
	} {
		if err := c.do(query); err != nil {
			return err
		}
	}
	if err := s.sweepRemoved(c); err != nil {
		return err
	}
	return s.sweepDictionaries(c, t.calls)
}

// maxRemoved bounds how many calls that were taken away are remembered for
// caches in memory, which are read anew beyond.
const maxRemoved = 20_000

func (s *Store) sweepRemoved(c *conn) error {
	n, err := c.int(`SELECT count(*) FROM removed`)
	if err != nil || n <= maxRemoved {
		return err
	}
	if err := c.do(`DELETE FROM removed`); err != nil {
		return err
	}
	return c.do(`UPDATE meta SET value = value + 1 WHERE name = 'epoch'`)
}

// sweepStrings looks for each string in every column that may hold it: by a walk
// through all calls, which ends at once for a string that is in use.
func sweepStrings(c *conn, t *traces) error {
	var cols []string
	for _, col := range codedTexts {
		cols = append(cols, col.column+" = ?1")
	}
	used := `SELECT EXISTS (SELECT 1 FROM calls WHERE ` + strings.Join(cols, " OR ") + `) OR EXISTS (
		SELECT 1 FROM metrics WHERE definition IN (SELECT id FROM definitions) AND value = ?1)`
	candidates := map[int64]bool{}
	for _, text := range keysOf(t.strings) {
		_, err := c.first(`SELECT id FROM strings WHERE value = ?`, []any{text}, func(stmt *sqlite3.Stmt) { candidates[stmt.ColumnInt64(0)] = true })
		if err != nil {
			return err
		}
	}
	if len(candidates) > 20 { // one walk for all
		if err := stillUsed(c, candidates); err != nil {
			return err
		}
	}
	for id := range candidates {
		n, err := c.int(used, id)
		if err == nil && n == 0 {
			err = c.do(`DELETE FROM strings WHERE id = ?`, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stillUsed takes those that calls have from candidates.
func stillUsed(c *conn, candidates map[int64]bool) error {
	var cols []string
	for _, col := range codedTexts {
		cols = append(cols, col.column)
	}
	return c.each(`SELECT `+strings.Join(cols, ", ")+` FROM calls`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		for i := range cols {
			delete(candidates, stmt.ColumnInt64(i))
		}
		return len(candidates) > 0, nil
	})
}

// sweepDictionaries checks that what a dictionary holds is still said by some
// call, once so many calls went that it may not be. Where it is not, a new one
// is made and every record written anew with it.
func (s *Store) sweepDictionaries(c *conn, gone int) error {
	err := c.do(`INSERT INTO meta VALUES('gone', ?1) ON CONFLICT DO UPDATE SET value = value + ?1`, gone)
	if err != nil {
		return err
	}
	n, err := c.int(`SELECT value FROM meta WHERE name = 'gone'`)
	if err != nil || n < commonIn {
		return err
	}
	if to, err := c.meta(indexTo); err != nil || to != "" {
		return err // the index cannot tell yet
	}
	tainted := map[int64]bool{}
	calls, err := c.int(`SELECT sum(calls) FROM sources`)
	if err != nil {
		return err
	}
	err = c.each(`SELECT id, body FROM dictionaries`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		for _, fragment := range lines(stmt.ColumnRawBlob(1)) {
			said, err := stillSaid(c, string(fragment))
			if err != nil {
				return false, err
			}
			if !said || calls == 0 {
				tainted[stmt.ColumnInt64(0)] = true
				break
			}
		}
		return true, nil
	})
	if err != nil || len(tainted) == 0 {
		return err
	}
	return s.renew(c, tainted)
}

// sweepTerm takes a word out of the vocabulary where no call matches query.
func (s *Store) sweepTerm(c *conn, term, query string) error {
	n, err := c.int(`SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT 1)`, query)
	if err == nil && n == 0 {
		delete(s.terms.known, term)
		err = c.do(`DELETE FROM terms WHERE term = ?`, term)
	}
	return err
}

// stillSaid reports whether a fragment of a dictionary occurs in a call, or in
// one of the tables of strings.
func stillSaid(c *conn, fragment string) (bool, error) {
	words := slices.Collect(call.Words(fragment))
	query, arg := `SELECT EXISTS (SELECT 1 FROM words WHERE words MATCH ?)`, anyOf([]call.Term{{Words: words}}, saidMark)
	if len(words) == 0 || strings.HasPrefix(fragment, "https://") {
		return true, nil // punctuation, or where all calls of a source are shown
	}
	n, err := c.int(query, arg)
	if err != nil || n > 0 {
		return n > 0, err
	}
	n, err = c.int(`SELECT EXISTS (SELECT 1 FROM strings WHERE value = ?1) OR EXISTS (SELECT 1 FROM names WHERE name IN ('m.' || ?1, 'd.' || ?1))
		OR EXISTS (SELECT 1 FROM definitions WHERE ?1 IN (metric, name, type))`, fragment)
	return n > 0, err
}

// renew makes a new dictionary and writes all records with it.
func (s *Store) renew(c *conn, tainted map[int64]bool) error {
	if err := s.retrain(c, nil); err != nil {
		return err
	}
	id, err := c.int(`SELECT value FROM meta WHERE name = 'dictionary'`)
	if err != nil {
		return err
	}
	dict, err := s.codec.dictionary(c, id)
	if err != nil {
		return err
	}
	var ids []int64
	for old := range tainted {
		err := c.each(`SELECT id FROM records WHERE dictionary = ?`, []any{old}, func(stmt *sqlite3.Stmt) (bool, error) {
			ids = append(ids, stmt.ColumnInt64(0))
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	for _, row := range ids {
		l, err := c.readable(row)
		if err != nil {
			return err
		}
		if l == nil { // nothing can be read of it, whatever its dictionary
			continue
		}
		body, err := encodeRecord(nil, l)
		if err != nil {
			return err
		}
		if err := c.do(`UPDATE records SET dictionary = ?, body = ? WHERE id = ?`, id, dict.encoder.EncodeAll(body, nil), row); err != nil {
			return err
		}
	}
	for old := range tainted {
		if err := c.do(`DELETE FROM dictionaries WHERE id = ?`, old); err != nil {
			return err
		}
	}
	return c.do(`UPDATE meta SET value = 0 WHERE name = 'gone'`)
}

// lines splits a dictionary into its fragments.
func lines(body []byte) [][]byte { return bytes.Split(body, []byte("\n")) }
