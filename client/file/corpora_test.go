package file_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/file"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

// corpora are real dialogues that lie beside the repository, where they do.
const corpora = "../../../shared/corpora"

func star(t testing.TB) string {
	t.Helper()
	path := filepath.Join(corpora, "star.public.jsonl.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: corpora absent")
	}
	return path
}

func TestStar(t *testing.T) {
	path := star(t)
	begin := time.Now()
	src, err := file.Open("star", path)
	require.NoError(t, err)
	t.Logf("opened in %s", time.Since(begin))
	p, err := src.Find(context.Background(), call.Query{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, new(3686), p.Total)
	if !testing.Short() {
		calltest.TestSource(t, src, calltest.Options{Source: "star", Logs: 3686})
	}

	query, err := call.ParseText("bank balance")
	require.NoError(t, err)
	p, err = src.Find(context.Background(), call.Query{
		Where: filter.All(
			filter.Cond{Field: "success", Op: filter.Eq, Value: false},
			filter.Cond{Field: "topic", Op: filter.Eq, Value: "bank_balance"},
		),
		Text: query, Role: call.RoleCaller,
	})
	require.NoError(t, err)
	require.NotEmpty(t, p.Logs, "failed calls about a bank balance")
	for i, l := range p.Logs {
		assert.Contains(t, []string{"failure", "abandoned"}, l.Status)
		assert.NotEmpty(t, p.Hits[i].Turns)
	}
}

// Every record of every corpus can be read, whatever its outcome is called.
func TestAllCorpora(t *testing.T) {
	star(t)
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	paths, err := filepath.Glob(filepath.Join(corpora, "*.public.jsonl.gz"))
	require.NoError(t, err)
	for _, path := range paths {
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		if name == "queries" || name == "natcs_utterances" {
			continue // no calls
		}
		src, err := file.Open(name, path)
		require.NoError(t, err)
		p, err := src.Find(context.Background(), call.Query{Limit: 1, Exhaust: true})
		require.NoError(t, err)
		assert.Positive(t, *p.Total, name)
		t.Logf("%s: %d calls", name, *p.Total)
	}
}

func BenchmarkOpenStar(b *testing.B) {
	path := star(b)
	for b.Loop() {
		if _, err := file.Open("star", path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFindStar(b *testing.B) {
	src, err := file.Open("star", star(b))
	require.NoError(b, err)
	for _, o := range []call.Order{call.Newest, call.Oldest, call.Longest} {
		b.Run(string(o), func(b *testing.B) {
			for b.Loop() {
				if _, err := src.Find(context.Background(), call.Query{Order: o}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
