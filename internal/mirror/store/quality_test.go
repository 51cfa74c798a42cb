package store_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/file"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// A judged query of queries.public.jsonl.
type judged struct {
	Kind, Query, Corpus, Role string
	Label                     struct {
		Intent    string
		IntentAny []string `json:"intent_any"`
		Any       []struct{ Corpus, Intent string }
	} `json:"relevant_label"`
	Relevant int      `json:"n_relevant"`
	IDs      []string `json:"conversation_ids"`
}

// corpora is where the public corpora lie, beside the repository or where
// CALL_LOGS_CORPORA says. Reading them takes half a minute, so only `make
// quality`, which sets CALL_LOGS_QUALITY, does.
func corpora(t testing.TB) string {
	dir := os.Getenv("CALL_LOGS_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "corpora")
	}
	if _, err := os.Stat(filepath.Join(dir, "queries.public.jsonl")); err != nil {
		t.Skip("skipped: corpora absent")
	}
	if os.Getenv("CALL_LOGS_QUALITY") == "" {
		t.Skip("skipped: set CALL_LOGS_QUALITY=1, as make quality does")
	}
	return dir
}

// library is a store of all corpora, each a source of its name.
func library(t testing.TB, dir string) *store.Store {
	path := os.Getenv("CALL_LOGS_QUALITY_DB") // kept between runs
	if path == "" {
		path = onDisk(t)
	} else if _, err := os.Stat(path); err == nil {
		return open(t, path)
	}
	s := open(t, path)
	files, err := filepath.Glob(filepath.Join(dir, "*.public.jsonl.gz"))
	require.NoError(t, err)
	for _, f := range files {
		name, _, _ := strings.Cut(filepath.Base(f), ".")
		if name == "natcs_utterances" {
			continue // no calls
		}
		src, err := file.Open(name, f)
		require.NoError(t, err)
		for q := (call.Query{Limit: 500}); ; {
			p := find2(t, src, q)
			commit(t, s, store.Change{Source: name, Put: p.Logs})
			if q.After = p.Next; p.Next == nil {
				break
			}
		}
	}
	return s
}

func find2(t testing.TB, src call.Source, q call.Query) call.Page {
	p, err := src.Find(ctx, q)
	require.NoError(t, err)
	return p
}

func queries(t testing.TB, dir string) (out []judged) {
	f, err := os.Open(filepath.Join(dir, "queries.public.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q judged
		require.NoError(t, json.Unmarshal(lines.Bytes(), &q))
		out = append(out, q)
	}
	require.NoError(t, lines.Err())
	return out
}

// relevant reports whether a call has a label that q asks for.
func (q judged) relevant(l *call.Log) bool {
	has := func(intent string) bool {
		intents, _ := l.Metadata["intents"].([]any)
		return slices.Contains(intents, any(intent))
	}
	if len(q.Label.Any) > 0 {
		for _, any := range q.Label.Any {
			if l.ID.Source == any.Corpus && has(any.Intent) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(append(q.Label.IntentAny, q.Label.Intent), func(s string) bool { return s != "" && has(s) })
}

func (q judged) where() filter.Expr {
	if q.Corpus == "*" {
		return nil
	}
	return filter.Cond{Field: "source", Op: filter.Eq, Value: q.Corpus}
}

// A score sums up the answers to the label queries of one corpus.
type score struct{ n, p10, hit1, mrr float64 }

func (a *score) add(b *score) {
	a.n, a.p10, a.hit1, a.mrr = a.n+b.n, a.p10+b.p10, a.hit1+b.hit1, a.mrr+b.mrr
}

func (a *score) String() string {
	return fmt.Sprintf("%.3f  %.3f  %.3f", a.p10/a.n, a.hit1/a.n, a.mrr/a.n)
}

// Search on corpora that nobody made for it, beside plain BM25; differences
// under 0.01 are noise. docs/search-quality.md has the table.
func TestQuality(t *testing.T) {
	dir := corpora(t)
	s := library(t, dir)
	plain := newBaseline(t, s)
	ours, theirs := map[string]*score{}, map[string]*score{}
	halves := [2]score{} // of the queries, every other one
	phrases, exact := 0, 0
	var spent []time.Duration
	for i, q := range queries(t, dir) {
		if strings.HasPrefix(q.Kind, "phrase") {
			phrases++
			got := slices.DeleteFunc(saying(t, s, q), func(key string) bool { return !slices.Contains(q.IDs, key) && spaced(t, s, q, key) })
			if assert.Equal(t, slices.Sorted(slices.Values(q.IDs)), got, q.Query) {
				exact++
			}
			continue
		}
		begin := time.Now()
		p := find(t, s, call.Query{Where: q.where(), Text: said(t, q.Query), Order: call.Relevance, Limit: 10})
		spent = append(spent, time.Since(begin))
		if ours[q.Corpus] == nil {
			ours[q.Corpus], theirs[q.Corpus] = &score{}, &score{}
		}
		ours[q.Corpus].count(q, p)
		theirs[q.Corpus].count(q, plain.search(t, q))
		if q.Corpus != "crosswoz" {
			halves[i%2].count(q, p)
		}
	}
	slices.Sort(spent)
	all, bm25 := &score{}, &score{}
	t.Logf("%-12s %4s  p@10   hit@1  MRR    plain BM25", "corpus", "n")
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		t.Logf("%-12s %4.0f  %v  %v", name, ours[name].n, ours[name], theirs[name])
		if name != "crosswoz" { // its labels are too broad; the figures to compare with leave it out
			all.add(ours[name])
			bm25.add(theirs[name])
		}
	}
	t.Logf("%-12s %4.0f  %v  %v", "all", all.n, all, bm25)
	t.Logf("every other query: %v and %v", &halves[0], &halves[1])
	t.Logf("phrases: %d of %d exact; label queries took %s at the median, %s at the 95th percentile", exact, phrases, spent[len(spent)/2], spent[len(spent)*95/100])
	assert.GreaterOrEqual(t, all.p10/all.n, 0.77)
	assert.GreaterOrEqual(t, all.hit1/all.n, 0.79)
}

func (a *score) count(q judged, p call.Page) {
	a.n++
	good := 0
	for i, l := range p.Logs {
		if !q.relevant(l) {
			continue
		}
		good++
		if good == 1 {
			a.mrr += 1 / float64(i+1)
			if i == 0 {
				a.hit1++
			}
		}
	}
	a.p10 += float64(good) / float64(min(10, q.Relevant))
}

// saying are the calls in which a phrase is said: by agent or caller, as the
// judges searched.
func saying(t testing.TB, s *store.Store, q judged) []string {
	roles := []call.Role{call.RoleAgent, call.RoleCaller}
	if q.Role != "" {
		roles = []call.Role{call.Role(q.Role)}
	}
	found := map[string]bool{}
	for _, role := range roles {
		for ask := (call.Query{Text: said(t, `"`+q.Query+`"`), Role: role, Limit: 500}); ; {
			p := find(t, s, ask)
			for _, l := range p.Logs {
				if q.Corpus == "crosswoz" || l.ID.Source != "crosswoz" {
					found[l.ID.Key] = true
				}
			}
			if ask.After = p.Next; p.Next == nil {
				break
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// spaced reports whether a call that the judges do not have says the phrase with
// a space in it: they searched Chinese for plain substrings, and in Chinese a
// space says nothing.
func spaced(t testing.TB, s *store.Store, q judged, key string) bool {
	l, err := s.Get(ctx, call.ID{Source: "crosswoz", Key: key})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(l.Turns, func(turn call.Turn) bool {
		return strings.Contains(strings.Join(strings.Fields(turn.Text), ""), q.Query)
	})
}
