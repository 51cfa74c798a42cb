package cekura

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/internal/call"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// replay answers every question with a fixture.
func replay(t *testing.T, name string) call.Source {
	text := wiretest.Fixture(t, "cekura/"+name)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, BaseURL: server.URL, Transport: transport, Now: now, Limits: fast()})
	require.NoError(t, err)
	return s
}

func decode(t *testing.T, name string) (logs []*call.Log, a listAnswer) {
	text := wiretest.Fixture(t, "cekura/"+name)
	require.NoError(t, json.Unmarshal(text, &a))
	for i := range a.results {
		if l := a.results[i].log("cekura"); l != nil {
			logs = append(logs, l)
		}
	}
	return logs, a
}

func TestGoldenList(t *testing.T) {
	logs, a := decode(t, "list.json")
	assert.Equal(t, 3, *a.count)
	assert.True(t, a.next)
	wiretest.Golden(t, *update, "cekura/list.golden.json", logs)
}

func TestGoldenDetail(t *testing.T) {
	l, err := replay(t, "detail.json").Get(t.Context(), call.ID{Source: "cekura", Key: "48213"})
	require.NoError(t, err)
	wiretest.Golden(t, *update, "cekura/detail.golden.json", l)
}

// Odd records cost themselves at most, never the page.
func TestGoldenOdd(t *testing.T) {
	logs, a := decode(t, "odd.json")
	assert.Len(t, a.results, 8)
	assert.Len(t, logs, 6)
	wiretest.Golden(t, *update, "cekura/odd.golden.json", logs)

	p, err := replay(t, "odd.json").Find(t.Context(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 6)
	assert.Contains(t, p.Notes, "2 rows of cekura had no id and could not be read")
}

func TestNoList(t *testing.T) {
	for _, text := range []string{`{"detail": "x"}`, `[]`, `{"results": 5}`, `{"results": null}`} {
		var a listAnswer
		assert.Error(t, json.Unmarshal([]byte(text), &a), text)
	}
	var a listAnswer
	assert.NoError(t, json.Unmarshal([]byte(`{"results": []}`), &a))
}

func FuzzRecord(f *testing.F) {
	for _, name := range []string{"list.json", "odd.json", "detail.json"} {
		f.Add(wiretest.Fixture(f, "cekura/"+name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var (
			a listAnswer
			d detail
		)
		if json.Unmarshal(text, &a) == nil {
			for i := range a.results {
				if l := a.results[i].log("cekura"); l != nil {
					for n, turn := range l.Turns {
						assert.Equal(t, n+1, turn.Index)
						assert.Equal(t, turn.Role == call.RoleTool, turn.Tool != nil)
					}
				}
			}
		}
		if json.Unmarshal(text, &d) == nil {
			d.log("cekura")
		}
	})
}
