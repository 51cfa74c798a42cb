package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An answer as data stands in the text, too: many clients pass on nothing else.
func TestJSONIsTheText(t *testing.T) {
	for _, flags := range [][]string{nil, {"--structured"}} {
		_, c := demo(t, flags...)
		for tool, args := range map[string]string{
			"list_call_logs": `{"page_size":2}`, "search_transcripts": `{"query":"refund","page_size":2}`, "get_call_log": `{"id":"demo/77801"}`,
			"read_transcript": `{"id":"demo/77801"}`, "aggregate_call_logs": `{"group_by":["topic"]}`, "describe_fields": `{}`,
		} {
			args = strings.TrimSuffix(args, "}") + `,"response_format":"json"}`
			r := ask(t, c, tool, strings.Replace(args, "{,", "{", 1))
			b, err := json.Marshal(r.StructuredContent)
			require.NoError(t, err)
			assert.JSONEq(t, string(b), textOf(t, r), tool)
			require.NotNil(t, r.Meta, tool)
			assert.Contains(t, r.Meta.AdditionalFields, "untrusted")
		}
	}
}

// What programs read of a call: maps of texts, seconds as numbers, and an address
// in every row.
func TestJSONForPrograms(t *testing.T) {
	_, c := demo(t)
	var one struct {
		Call struct {
			ID, URI   string
			Latency   map[string]map[string]float64
			Metadata  map[string]string
			Variables map[string]string `json:"dynamic_variables"`
		}
	}
	data(t, c, "get_call_log", `{"id":"demo/77801"}`, &one)
	assert.Equal(t, "call://demo/77801", one.Call.URI)
	assert.Contains(t, one.Call.Metadata, "release")
	assert.NotEmpty(t, one.Call.Variables)
	var rows struct {
		Calls, Matches []struct{ ID, URI string }
	}
	for tool, args := range map[string]string{"list_call_logs": `{"page_size":3}`, "search_transcripts": `{"query":"refund","page_size":3}`} {
		data(t, c, tool, args, &rows)
		for _, row := range append(rows.Calls, rows.Matches...) {
			assert.Equal(t, "call://"+row.ID, row.URI)
		}
	}
	assert.NotEmpty(t, rows.Calls)
	assert.NotEmpty(t, rows.Matches)
}
