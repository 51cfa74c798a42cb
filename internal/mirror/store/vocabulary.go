package store

import (
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// A vocabulary counts in how many calls each English-looking word occurs, for
// widening words to their inflections and for what a word is worth. New words
// are entered with their call; counts are gathered and written now and then, so
// a crash may lose some of them. They only weigh.
type vocabulary struct {
	known map[string]*int // of words that surely are in the table: calls that were not written yet
	calls int             // that those are of
}

// Bounds of the vocabulary.
const (
	maxTerms   = 200_000 // words that are known by heart
	flushAfter = 20_000  // calls, or a quarter of those that are stored
	leastFlush = 5000
)

func (v *vocabulary) forget() { v.known, v.calls = nil, 0 }

// counted reports whether a word is one that may have inflections. Numbers and
// codes are as many as calls, and have none.
func counted(word string) bool {
	if len(word) < 2 || len(word) > 20 {
		return false
	}
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return true
}

// A tally counts in how many calls of a batch each word is.
type tally map[string]*tallied

type tallied struct {
	calls int
	last  *entry // that said it
}

func (t tally) add(word string, in *entry) {
	n := t[word]
	if n == nil {
		n = &tallied{}
		t[word] = n
	}
	if n.last != in {
		n.calls, n.last = n.calls+1, in
	}
}

// countTerms counts what was said in some calls more.
func (s *Store) countTerms(c *conn, said []tally, calls int) error {
	v := &s.terms
	if v.known == nil {
		v.known = map[string]*int{}
	}
	for _, t := range said {
		for word, n := range t {
			if err := v.count(c, word, n.calls); err != nil {
				return err
			}
		}
	}
	v.calls += calls
	stored, err := c.int(`SELECT sum(calls) FROM sources`)
	if err != nil || v.calls < min(flushAfter, max(leastFlush, int(stored)/4)) {
		return err
	}
	return v.write(c)
}

func (v *vocabulary) count(c *conn, word string, calls int) error {
	n := v.known[word]
	if n == nil {
		word = strings.Clone(word) // not the turn that it was said in
		if err := c.do(`INSERT INTO terms(term, stem, calls) VALUES(?, ?, 0) ON CONFLICT DO NOTHING`, word, stemOf(word)); err != nil {
			return err
		}
		n = new(int)
		v.known[word] = n
	}
	*n += calls
	return nil
}

// write adds what was counted to the table.
func (v *vocabulary) write(c *conn) error {
	for _, word := range keysOf(v.known) {
		n := v.known[word]
		if *n == 0 {
			continue
		}
		if err := c.do(`UPDATE terms SET calls = calls + ? WHERE term = ?`, *n, word); err != nil {
			return err
		}
		*n = 0
	}
	if len(v.known) > maxTerms {
		v.known = nil
	}
	v.calls = 0
	return nil
}

func (s *Store) flushTerms(c *conn) error {
	if s.terms.calls == 0 {
		return nil
	}
	return c.transact(func() error { return s.terms.write(c) })
}

// stemOf is the stem of a word that may be marked as said only.
func stemOf(word string) string {
	if bare, ok := strings.CutPrefix(word, saidMark); ok {
		return saidMark + stem(bare)
	}
	return stem(word)
}

// forms are the words of the vocabulary that share a word's stem, and in about
// how many calls they are, the word itself first. Those that only some may see
// are left out for the others.
func (c *conn) forms(word string, hidden bool) (forms []string, calls int64, err error) {
	forms = []string{word}
	if !counted(word) {
		return forms, -1, nil
	}
	err = c.each(`SELECT term, calls FROM terms WHERE stem = ? OR stem = ? ORDER BY calls DESC LIMIT 12`, []any{stem(word), alsoSaid(stem(word), hidden)}, func(stmt *sqlite3.Stmt) (bool, error) {
		if term := strings.TrimPrefix(stmt.ColumnText(0), saidMark); !slices.Contains(forms, term) {
			forms = append(forms, term)
		}
		calls += stmt.ColumnInt64(1)
		return true, nil
	})
	return forms, calls, err
}

// said is in about how many calls a word of the vocabulary is.
func (c *conn) said(word string, hidden bool) (int64, error) {
	return c.int(`SELECT ifnull(sum(calls), 0) FROM terms WHERE term = ? OR term = ?`, word, alsoSaid(word, hidden))
}

// alsoSaid is a word as it stands where it was said and is not shown.
func alsoSaid(word string, hidden bool) string {
	if hidden {
		return word
	}
	return saidMark + word
}
