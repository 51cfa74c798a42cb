package store

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// A dictionary holds what many calls say, never what one does: its fragments
// each occurred in at least commonIn of the calls it was made from, so that it
// tells nothing of a single one. Fragments lie between line ends, and purging
// checks that each still occurs in some call.
const (
	commonIn       = 8
	dictionarySize = 96 << 10
	sampleSize     = 400 // calls a dictionary is made from; before them there is none
)

// fragments returns the parts of logs that are worth most in a dictionary, the
// commonest last, where they cost fewest bits to refer to.
func fragments(logs []*call.Log) []string {
	in := commonOf(logs)
	common := slices.Collect(maps.Keys(in))
	// The longest first: what they contain need not be said again, unless it is
	// much commoner.
	slices.SortFunc(common, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	said := map[string]int{}
	common = slices.DeleteFunc(common, func(s string) bool {
		if n, ok := said[s]; ok && in[s] < 2*n {
			return true
		}
		pieces(s, func(p string) {
			for _, p := range []string{p, strings.TrimPrefix(p, " ")} {
				said[p] = max(said[p], in[s])
			}
		})
		return false
	})
	return mostWorth(common, func(s string) int { return in[s] * (len(s) - 3) })
}

// commonOf are the fragments that at least commonIn of logs have, and how many do.
func commonOf(logs []*call.Log) map[string]int {
	type found struct{ calls, last int32 } // last is the log that had it last, from 1
	in := map[string]found{}
	for k, l := range logs {
		count := func(s string) {
			if f := in[s]; f.last != int32(k+1) {
				in[s] = found{f.calls + 1, int32(k + 1)}
			}
		}
		for i := range l.Turns {
			for _, part := range l.Turns[i].Parts() {
				pieces(part, count)
			}
		}
		for _, s := range repeated(l) {
			if len(s) >= leastFragment && !strings.Contains(s, "\n") {
				count(s)
			}
		}
	}
	common := map[string]int{}
	for s, f := range in {
		if f.calls >= commonIn {
			common[s] = int(f.calls)
		}
	}
	return common
}

// leastFragment is how long a fragment is at least, lest referring to it costs
// more than it does.
const leastFragment = 4

// mostWorth keeps what fits into a dictionary, the best last.
func mostWorth(common []string, worth func(string) int) []string {
	slices.SortFunc(common, func(a, b string) int { return cmp.Or(worth(b)-worth(a), strings.Compare(a, b)) })
	size := 0
	for i, s := range common {
		if size += len(s) + 1; size > dictionarySize {
			common = common[:i]
			break
		}
	}
	slices.Reverse(common)
	return common
}

// repeated are texts of a call, beside its transcript, that others share; each
// has a row of its own in some table, by which it is known whether it is in use.
func repeated(l *call.Log) []string {
	var out []string
	for _, c := range codedTexts {
		out = append(out, c.text(l))
	}
	for _, address := range []string{l.DashboardURL, l.RecordingURL} {
		out = append(out, address[:strings.LastIndexByte(address, '/')+1]) // which is of no single call
	}
	for i := range l.Metrics {
		m := &l.Metrics[i]
		out = append(out, m.ID, m.Name, m.Type)
	}
	return append(append(out, keysOf(l.Metadata)...), keysOf(l.DynamicVariables)...)
}

// pieces puts take to what of a text may be common, some of it twice: the whole,
// and runs of up to four of its words with what stands before them.
func pieces(s string, take func(string)) {
	if len(s) < leastFragment || strings.Contains(s, "\n") || len(s) > 2000 {
		return
	}
	take(s)
	ends := make([]int, 1, 64)
	for i := 1; i < len(s); i++ {
		if !isAlnum(s[i]) && isAlnum(s[i-1]) {
			ends = append(ends, i)
		}
	}
	ends = append(ends, len(s))
	for i := range ends {
		for n := 1; n <= 4 && i+n < len(ends); n++ {
			if from, to := ends[i], ends[i+n]; to-from >= leastFragment {
				take(s[from:to])
			}
		}
	}
}

func isAlnum(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b >= 0x80
}

// train makes the first dictionary once there are calls enough, from the newest
// and from those that are about to be written.
func (s *Store) train(c *conn, put []*entry) error {
	if id, err := c.int(`SELECT value FROM meta WHERE name = 'dictionary'`); err != nil || id != 0 {
		return err
	}
	calls, err := c.int(`SELECT sum(calls) FROM sources`)
	if err != nil || int(calls)+len(put) < sampleSize {
		return err
	}
	var sample []*call.Log
	for _, e := range put[:min(len(put), sampleSize)] {
		sample = append(sample, e.log)
	}
	return s.retrain(c, sample)
}

// retrain makes a new dictionary from sample and the newest calls, for what is
// written from now on.
func (s *Store) retrain(c *conn, sample []*call.Log) error {
	err := c.each(`SELECT id, dictionary, body FROM records ORDER BY id DESC LIMIT ?`, []any{max(0, sampleSize-len(sample))}, func(stmt *sqlite3.Stmt) (bool, error) {
		l, err := s.codec.decode(c, stmt.ColumnInt64(1), stmt.ColumnRawBlob(2))
		if errors.Is(err, errDamaged) {
			return true, nil
		}
		sample = append(sample, l)
		return true, err
	})
	if err != nil {
		return err
	}
	body := []byte(strings.Join(fragments(sample), "\n"))
	if len(body) < 64 { // nothing in common
		return c.do(`UPDATE meta SET value = 0 WHERE name = 'dictionary'`)
	}
	// Numbers are never used again: other processes know what they meant.
	next, err := c.int(`SELECT coalesce(max(value), 0) + 1 FROM meta WHERE name IN ('dictionary', 'dictionaries')`)
	if err != nil {
		return err
	}
	if err := c.do(`INSERT INTO dictionaries(id, body) VALUES(?, ?)`, next, body); err != nil {
		return err
	}
	if err := c.do(`REPLACE INTO meta VALUES('dictionaries', ?)`, next); err != nil {
		return err
	}
	return c.do(`UPDATE meta SET value = ? WHERE name = 'dictionary'`, next)
}

// keysOf is for maps whose order must not decide what is stored.
func keysOf[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
