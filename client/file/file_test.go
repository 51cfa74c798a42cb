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

// write is a file of this content.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// A file in which nothing can be read is refused by name, with what was expected.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	good := `{"conversation_id":"a","turns":[]}` + "\n"
	var cut bytes.Buffer
	z := gzip.NewWriter(&cut)
	_, err := z.Write([]byte(good))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for content, want := range map[string]string{
		"{oops}\n":                           `calls.jsonl:1: not JSON: invalid character 'o'`,
		`[1]`:                                `calls.jsonl:1[0]: a call is a JSON object, found: number`,
		`"a"`:                                `calls.jsonl:1: a call is a JSON object, found: text`,
		`{"conversation_id":5}`:              `calls.jsonl:1: no shape of a call that is known: its keys are conversation_id; expected is a call of Vapi`,
		`{"user_id":7,"orders":[{"sku":1}]}`: `its keys are user_id, orders; expected`,
		`{"conversation_id":"a","talk":[{"wer":"ich","was":"kündigen"}]}`:                           `no transcript that is known; is it "talk"?`,
		`{"conversation_id":"a","started_at":"yesterday"}`:                                          `calls.jsonl:1: started_at "yesterday" is not RFC 3339`,
		`{"conversation_id":"a","duration_s":-1}`:                                                   `calls.jsonl:1: duration_s is -1, which is no length of a call`,
		`{"conversation_id":"a","turns":[{"role":"agent"},{"role":"bot"}]}`:                         `calls.jsonl:1: its transcript could not be read; a turn has a role and text`,
		`{"conversation_id":"a","turns":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}": `calls.jsonl:1: JSON that is nested more than 64 deep`,
		string(cut.Bytes()[:cut.Len()-9]):                                                           `calls.jsonl:2: unexpected EOF`,
		"\x1f\x8bnot gzip at all":                                                                   `calls.jsonl: gzip: invalid header`,
		`{"conversation_id":"` + strings.Repeat("x", 65<<20):                                        `calls.jsonl:1: a line of more than 64 MiB`,
		"{oops}\n{alas}\n":                    `calls.jsonl:1: not JSON: invalid character 'o'`,
		"Dear diary, today\nnobody called.\n": `calls.jsonl:1: not JSON: invalid character 'D'`,
	} {
		_, err := file.Open("own", write(t, "calls.jsonl", content))
		assert.ErrorContains(t, err, want)
	}
	_, err = file.Open("own", fixture, "testdata/absent.jsonl")
	assert.ErrorContains(t, err, "testdata/absent.jsonl: no such file")
}

// A line that cannot be read costs itself: it is counted, the first three are named,
// and every answer says so.
func TestOneBadLineCostsThatLine(t *testing.T) {
	lines := []string{`{"conversation_id":"a","turns":[{"role":"caller","text":"one"}]}`, `{oops}`, `{"foo":1}`, ``, `{"conversation_id":"b","started_at":"soon"}`, `7`, `{"conversation_id":"c","turns":[]}`}
	src, err := file.Open("own", write(t, "calls.jsonl", strings.Join(lines, "\n")))
	require.NoError(t, err)
	p, err := src.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 2)
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], "4 records of the files of own could not be read and are in no answer: calls.jsonl:2: not JSON")
	assert.Contains(t, p.Notes[0], "; calls.jsonl:3: no shape")
	assert.Contains(t, p.Notes[0], "; calls.jsonl:5: started_at")
	assert.Contains(t, p.Notes[0], "; and 1 more")
	assert.NotContains(t, p.Notes[0], os.TempDir())
}

// Of two records of one call the newer counts: by the time of its change, else the
// later in the files.
func TestTheNewerRecordCounts(t *testing.T) {
	src, err := file.Open("own", write(t, "calls.jsonl", strings.Join([]string{
		`{"conversation_id":"a","outcome":"failure","turns":[{"role":"caller","text":"old"}]}`,
		`{"conversation_id":"a","outcome":"success","turns":[{"role":"caller","text":"new"}]}`,
		`{"conversation_id":"b","updated_at":"2026-11-20T10:00:00Z","turns":[{"role":"caller","text":"new"}]}`,
		`{"conversation_id":"b","updated_at":"2026-11-19T10:00:00Z","turns":[{"role":"caller","text":"old"}]}`,
	}, "\n")))
	require.NoError(t, err)
	p, err := src.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 2)
	assert.Empty(t, p.Notes)
	assert.Equal(t, "new", get(t, src, "a").Turns[0].Text)
	assert.Equal(t, new(true), get(t, src, "a").Success)
	assert.Equal(t, "new", get(t, src, "b").Turns[0].Text)
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
