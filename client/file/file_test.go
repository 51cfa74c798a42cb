package file_test

import (
	"bytes"
	"compress/gzip"
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

const fixture = "testdata/calls.jsonl"

func get(t *testing.T, src call.Source, key string) *call.Log {
	t.Helper()
	l, err := src.Get(context.Background(), call.ID{Source: "own", Key: key})
	require.NoError(t, err)
	return l
}

func open(t *testing.T) call.Source {
	t.Helper()
	src, err := file.Open("own", fixture)
	require.NoError(t, err)
	return src
}

func TestContract(t *testing.T) {
	calltest.TestSource(t, open(t), calltest.Options{Source: "own", Logs: 5})
	november := call.Window{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}
	calltest.TestSource(t, open(t), calltest.Options{Source: "own", Logs: 3, Window: november})
}

func TestRecord(t *testing.T) {
	src := open(t)
	second := func(n float64) *time.Duration { return new(time.Duration(n * float64(time.Second))) }
	start := time.Date(2026, 11, 20, 14, 10, 5, 0, time.UTC)
	assert.Equal(t, &call.Log{
		ID: call.ID{Source: "own", Key: "own-1"}, CallID: "own-1", AgentName: "Desk", Topic: "bank_balance",
		Status: "failure", Success: new(false), Summary: "The balance could not be read.",
		StartedAt: start, EndedAt: start.Add(70250 * time.Millisecond), Duration: second(70.25),
		Metadata: map[string]any{"corpus": "own", "happy_path": false, "attempts": 2.0, "intents": []any{"bank_balance", "smalltalk"}},
		Detailed: true,
		Turns: []call.Turn{
			{Index: 1, Role: call.RoleAgent, Text: "Thanks for calling, how can I help?", Start: second(0), End: second(2.1)},
			{Index: 2, Role: call.RoleCaller, Text: "What is my balance, please?", Start: second(3.5)},
			{Index: 3, Role: call.RoleTool, Start: second(5), Tool: &call.Tool{
				Name: "get_balance", Args: `{"account":"12","deep":{"a":[1,2]}}`, Result: `{"error":"account is locked"}`, Failed: true,
			}},
			{Index: 4, Role: call.RoleAgent, Text: "I cannot see it.", Start: second(9)},
		},
	}, get(t, src, "own-1"))
	assert.Equal(t, &call.Log{
		ID: call.ID{Source: "own", Key: "own-2"}, CallID: "own-2", Status: "completed", Turns: []call.Turn{}, Detailed: true,
	}, get(t, src, "own-2"), "what is not said stays missing")

	order := get(t, src, "own-3")
	assert.Equal(t, new(true), order.Success)
	assert.Equal(t, call.Tool{Name: "order", Args: `{"milk": "oat"}`, Result: "Error: no oat milk", Failed: true}, *order.Turns[1].Tool)
	assert.Equal(t, call.Tool{Name: "order", Args: "{}", Result: `{"success":true}`}, *order.Turns[2].Tool)
	assert.Equal(t, call.Tool{Name: "order", Result: `{"Success":false}`, Failed: true}, *order.Turns[3].Tool)

	export := get(t, src, "9f31c2")
	assert.Equal(t, "silence-timed-out", export.EndedReason)
	assert.Equal(t, new(false), export.Success)
	assert.Equal(t, map[string]any{"release": "r42"}, export.Metadata)
	assert.Equal(t, []call.Metric{{ID: "7", Name: "Greeting", Type: "binary", Score: new(5.0), Passed: new(true), Explanation: []string{"said hello at 00:00"}}}, export.Metrics)
	assert.Equal(t, "own-5", get(t, src, "own-1-retry").ID.Key, "by its call id")
}

func TestNoTimeNoWindow(t *testing.T) {
	ctx := context.Background()
	p, err := open(t).Find(ctx, call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 5)
	assert.Zero(t, p.Window)
	from := time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)
	p, err = open(t).Find(ctx, call.Query{Where: filter.Within("timestamp", from, time.Time{})})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 2, "calls without a start are in no window")
	assert.Equal(t, call.Window{From: from}, p.Window)
	assert.Equal(t, call.Coverage{Calls: new(2), Searched: 2, Complete: true}, p.Coverage)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	good := `{"conversation_id":"a","turns":[]}` + "\n"
	var cut bytes.Buffer
	z := gzip.NewWriter(&cut)
	_, err := z.Write([]byte(good))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for content, want := range map[string]string{
		good + "\n{oops}\n":     `calls.jsonl:3: not JSON: invalid character 'o'`,
		good + good:             `calls.jsonl:2: conversation_id "a" is also that of `,
		`{"turns":[]}`:          `calls.jsonl:1: conversation_id is missing`,
		`[1]`:                   `calls.jsonl:1: a call is a JSON object, found: array`,
		`{"conversation_id":5}`: `calls.jsonl:1: conversation_id: unexpected number`,
		`{"conversation_id":"a","started_at":"yesterday"}`:                   `calls.jsonl:1: started_at "yesterday" is not RFC 3339`,
		`{"conversation_id":"a","duration_s":-1}`:                            `calls.jsonl:1: duration_s is -1, which is no length of a call`,
		`{"conversation_id":"a","turns":[{"role":"agent"},{"role":"bot"}]}`:  `calls.jsonl:1: turns[1].role is "bot"; it can be agent, caller, tool, system`,
		`{"conversation_id":"a","turns":[{"role":"agent","start_s":1e300}]}`: `calls.jsonl:1: turns[0].start_s is 1e+300`,
		`{"conversation_id":"a","turns":[{"role":"agent","end_s":"4"}]}`:     `calls.jsonl:1: turns.end_s: unexpected string`,
		string(cut.Bytes()[:cut.Len()-9]):                                    `calls.jsonl:2: unexpected EOF`,
		"\x1f\x8bnot gzip at all":                                            `calls.jsonl: gzip: invalid header`,
		`{"conversation_id":"` + strings.Repeat("x", 65<<20):                 `calls.jsonl:1: a line of more than 64 MiB`,
	} {
		path := filepath.Join(t.TempDir(), "calls.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := file.Open("own", path)
		assert.ErrorContains(t, err, want)
	}
	_, err = file.Open("own", fixture, "testdata/absent.jsonl")
	assert.ErrorContains(t, err, "testdata/absent.jsonl: no such file")
	_, err = file.Open("own", fixture, fixture)
	assert.ErrorContains(t, err, `calls.jsonl:1: conversation_id "own-1" is also that of testdata/calls.jsonl:1`)
}

func TestGzipIsKnownByItsContent(t *testing.T) {
	data, err := os.ReadFile(fixture)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "export") // no .gz
	f, err := os.Create(path)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	_, err = z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	src, err := file.Open("own", path)
	require.NoError(t, err)
	assert.Equal(t, "Desk", get(t, src, "own-1").AgentName)
}
