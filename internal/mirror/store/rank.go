package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// rank scores the newest matches, best first; truncated says that there were
// more. Where words are so common that not all of their matches can be scored,
// two lots are: calls that have all of the words, and calls that have the rarest.
func (x *search) rank() (list []score, truncated bool, err error) {
	if len(x.wants)+len(x.must) == 0 {
		return nil, false, nil
	}
	x.ranks = ranking{wants: len(x.wants) + len(x.must)}
	slices.SortStableFunc(x.wants, func(a, b want) int { return cmp.Compare(a.calls, b.calls) })
	most := int64(maxRanked)
	if x.filtered() {
		most = maxExamined
	}
	// Calls that say nothing but what most calls say are no matches, unless nobody
	// says the rest.
	telling := min(max(unsaid(x.wants)+1, len(x.wants)-lowly(x.wants)), len(x.wants))
	var sum int64
	rare := 0
	for rare < len(x.wants) && (sum == 0 || rare < telling && sum+x.wants[rare].calls <= most) {
		sum += x.wants[rare].calls
		rare++
	}
	met := map[int64]int{} // calls, and one behind where ranks.found has them
	drive, also := x.wants[:rare], x.wants[rare:]
	switch {
	case len(x.must) > 0:
		drive, also = nil, x.wants
	case rare < telling:
		if _, err := x.look(x.every(), met); err != nil {
			return nil, false, err
		}
		truncated = true // calls with the common words alone are left out
	}
	cut, err := x.look(x.query(drive, also), met)
	if err != nil {
		return nil, false, err
	}
	truncated = truncated || cut
	delete(met, x.skip)
	list = x.sorted(met)
	return list, truncated, x.rerank(list)
}

// unsaid counts the wants that no call fulfils, as far as is known.
func unsaid(wants []want) (n int) {
	for _, w := range wants {
		if w.calls == 0 {
			n++
		}
	}
	return n
}

// lowly counts the wants that more than a quarter of all calls fulfil.
func lowly(wants []want) (n int) {
	for _, w := range wants {
		if w.idf < 1.4 {
			n++
		}
	}
	return n
}

// at is the want with that number.
func (x *search) at(w int) *want {
	if w < len(x.must) {
		return &x.must[w]
	}
	return &x.wants[w-len(x.must)]
}

// sorted scores calls by what was found in them, best first.
func (x *search) sorted(met map[int64]int) []score {
	wants := x.ranks.wants
	usual := 0.0
	for _, at := range met {
		usual += float64(x.ranks.found[at-1]) / float64(len(met))
	}
	list := make([]score, 0, len(met))
	for id, at := range met {
		norm := saturation * (1 - slope + slope*float64(x.ranks.found[at-1])/max(1, usual))
		s := 0.0
		for w, tf := range x.ranks.found[at : at+wants] {
			if tf > 0 {
				s += x.at(w).idf * float64(tf) * (saturation + 1) / (float64(tf) + norm)
			}
		}
		list = append(list, score{id, -int64(s * 1e6)})
	}
	slices.SortFunc(list, func(a, b score) int { return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(b.id, a.id)) })
	return list
}

// every asks for the calls that have all of the wants.
func (x *search) every() string {
	parts := make([]string, len(x.wants))
	x.ranks.phrase = nil
	for i, w := range x.wants {
		parts[i] = anyOf(w.terms, markOf(x.q.View))
		x.count(w, i)
	}
	return x.narrow(strings.Join(parts, " AND "))
}

// count tells relevance() that the next phrases of the query are those of a want.
func (x *search) count(w want, as int) {
	for range phrasesOf * len(w.terms) {
		x.ranks.phrase = append(x.ranks.phrase, as)
	}
}

// query asks for the calls that have all that they must and some of drive, and
// lets those of also count. FTS5 has no word for "if it is there": x AND (x OR y)
// is true where x is, and finds y on the way.
func (x *search) query(drive, also []want) string {
	x.ranks.phrase = nil
	n := 0
	var must []string
	for _, w := range x.must {
		must = append(must, anyOf(w.terms, markOf(x.q.View)))
		x.count(w, n)
		n++
	}
	var some, more []string
	for _, w := range drive {
		some = append(some, anyOf(w.terms, markOf(x.q.View)))
		x.count(w, n)
		n++
	}
	if len(some) > 0 {
		must = append(must, "("+strings.Join(some, " OR ")+")")
	}
	base := strings.Join(must, " AND ")
	if also = slices.DeleteFunc(slices.Clone(also), func(w want) bool { return w.idf < 0.1 }); len(also) > 0 {
		for _, w := range slices.Concat(x.must, drive) {
			x.count(w, -1)
		}
		for _, w := range also {
			more = append(more, anyOf(w.terms, markOf(x.q.View)))
			x.count(w, n)
			n++
		}
		base = "(" + base + ") AND ((" + base + ") OR " + strings.Join(more, " OR ") + ")"
	}
	return x.narrow(base)
}

// narrow adds what must not be said, and by whom the rest.
func (x *search) narrow(query string) string {
	if len(x.not) > 0 {
		query = "(" + query + ") NOT " + anyOf(x.not, markOf(x.q.View))
	}
	if x.q.Role != "" {
		query = saidBy(x.q.Role, query)
	}
	return query
}

// look looks into the newest matches of a query that the filter lets through.
func (x *search) look(query string, met map[int64]int) (truncated bool, err error) {
	sql, args := `SELECT rowid, relevance(words) FROM words WHERE words MATCH ? ORDER BY rowid DESC`, []any{query}
	if x.filtered() {
		table, fits, also := saidCalls, x.sql, slices.Clone(x.args)
		if x.memo.fits != nil {
			table, fits, also = "words", swiftly, nil
		}
		sql = `SELECT words.rowid, CASE WHEN ` + fits + ` THEN relevance(words) END FROM ` + table + ` WHERE words MATCH ?`
		if !x.timeless {
			sql += fmt.Sprintf(` AND words.rowid BETWEEN %d AND %d`, x.lo, x.hi)
		}
		sql, args = sql+` ORDER BY words.rowid DESC`, append(also, query)
	}
	examined, looked := 0, 0
	err = x.each(sql, args, func(stmt *sqlite3.Stmt) (bool, error) {
		if looked == maxRanked || examined >= maxExamined && looked >= leastRanked {
			truncated = true
			return false, nil
		}
		examined++
		if stmt.ColumnType(1) == sqlite3.NULL {
			return true, nil
		}
		looked++
		if id := stmt.ColumnInt64(0); met[id] == 0 {
			met[id] = stmt.ColumnInt(1) + 1
		}
		return true, nil
	})
	return truncated, err
}

// rankings keeps the last answers by relevance, so that a walk through one goes
// on where it stood although calls arrive and words change their worth.
type rankings struct {
	mu   sync.Mutex
	last []ranked // the latest first
}

type ranked struct {
	key       string
	list      []score
	truncated bool
}

// maxRankings bounds them; each takes 16 bytes a call.
const maxRankings = 32

func (r *rankings) get(key string) (list []score, truncated, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.last, func(k ranked) bool { return k.key == key })
	if i < 0 {
		return nil, false, false
	}
	return r.last[i].list, r.last[i].truncated, true
}

func (r *rankings) put(key string, list []score, truncated bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = slices.DeleteFunc(r.last, func(k ranked) bool { return k.key == key })
	r.last = slices.Insert(r.last, 0, ranked{key, list, truncated})
	if len(r.last) > maxRankings {
		r.last = r.last[:maxRankings]
	}
}
