package telzino

import (
	"encoding/json"
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/internal/call"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func decode(t *testing.T, name string) (logs []*call.Log, a listAnswer) {
	text := wiretest.Fixture(t, "telzino/"+name)
	require.NoError(t, json.Unmarshal(text, &a))
	for i := range a.data {
		logs = append(logs, a.data[i].log("telzino", agent{"a9e0c7de-4b1f-4f0e-8f6a-2f1c9d3b7e55", "Front desk"}))
	}
	return logs, a
}

func TestGoldenList(t *testing.T) {
	logs, a := decode(t, "list.json")
	rows := a.rows()
	assert.Equal(t, 51, *rows.Total)
	assert.Equal(t, 50, rows.Size)
	assert.True(t, *rows.More)
	wiretest.Golden(t, *update, "telzino/list.golden.json", logs)
}

// Odd records cost themselves at most, never the page.
func TestGoldenOdd(t *testing.T) {
	logs, a := decode(t, "odd.json")
	assert.Equal(t, 7, *a.rows().Total)
	assert.Nil(t, a.rows().More)
	assert.Nil(t, logs[0])
	assert.Nil(t, logs[1])
	wiretest.Golden(t, *update, "telzino/odd.golden.json", logs)

	u := stocked(0)
	u.Bend = func(a answer) {
		text := wiretest.Fixture(t, "telzino/odd.json")
		clear(a)
		require.NoError(t, json.Unmarshal(text, &a))
	}
	p, err := over(t, u, telzinotest.AgentID(0)).Find(t.Context(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 3)
	assert.Contains(t, p.Notes, "records of telzino that could not be read: 2")
	assert.Contains(t, p.Notes, "records of telzino without a start time, left out: 2")
}

func TestNoList(t *testing.T) {
	for _, text := range []string{`{"error": "x"}`, `[]`, `{"data": 5}`, `{"data": null}`, `{`} {
		assert.Error(t, json.Unmarshal([]byte(text), new(listAnswer)), text)
		assert.Error(t, json.Unmarshal([]byte(text), new(agentsAnswer)), text)
	}
	assert.NoError(t, json.Unmarshal([]byte(`{"data": []}`), new(listAnswer)))
}

// Why a call ended stands in an entry of the system; entries that are counted
// and did not come are said.
func TestEndAndCount(t *testing.T) {
	for words, want := range map[string]string{
		"Call ended: user hung up": "user hung up", "Call ended by caller": "by caller", "end_reason=timeout": "timeout", "Call end reason: silence": "silence",
		"Disconnected: network lost.": "network lost", "Transferred to +4930": "", "webhook executed": "", "Call terminated due to inactivity": "inactivity",
	} {
		r := record{ID: "1", Entries: json.RawMessage(`[{"text":"Hi","speaker":"agent"},{"text":"` + words + `","speaker":"system"}]`)}
		assert.Equal(t, want, r.log("telzino", agent{}).EndedReason, words)
	}
	for record, want := range map[string]string{
		`{"id": 1, "entry_count": 4, "transcript_json": [{"text":"Hi","speaker":"agent"},{"text":"h","speaker":"user","is_partial":true}]}`:           "(2 of the 4 entries that the source counts came with the transcript)",
		`{"id": 1, "entry_count": 4, "session_data": {"total_entries": 4, "final_entries": 1}, "transcript_json": [{"text":"Hi","speaker":"agent"}]}`: "Hi",
		`{"id": 1, "entry_count": 1, "transcript_json": [{"text":"Hi","speaker":"agent"}]}`:                                                           "Hi",
		`{"id": 1, "entry_count": 5, "transcript_text": "agent: Hi"}`:                                                                                 "Hi",
	} {
		var a listAnswer
		require.NoError(t, json.Unmarshal([]byte(`{"data": [`+record+`]}`), &a))
		turns := a.data[0].log("telzino", agent{}).Turns
		assert.Equal(t, want, turns[len(turns)-1].Text, record)
	}
}
