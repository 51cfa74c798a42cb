package zudu

import (
	"encoding/json"
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/internal/call"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func decode(t *testing.T, name string) (logs []*call.Log, a listAnswer) {
	require.NoError(t, json.Unmarshal(wiretest.Fixture(t, "zudu/"+name), &a))
	for i := range a.calls {
		logs = append(logs, a.calls[i].log("zudu"))
	}
	return logs, a
}

func TestGoldenList(t *testing.T) {
	logs, a := decode(t, "list.json")
	rows := a.rows(0)
	assert.Equal(t, 25, *rows.Total)
	assert.Equal(t, 20, rows.Size)
	assert.True(t, *rows.More)
	wiretest.Golden(t, *update, "zudu/list.golden.json", logs)
}

// Odd records cost themselves at most, never the page.
func TestGoldenOdd(t *testing.T) {
	logs, a := decode(t, "odd.json")
	rows := a.rows(0)
	assert.Equal(t, 7, *rows.Total)
	assert.False(t, *rows.More, "by the number of pages")
	assert.Nil(t, logs[0])
	assert.Nil(t, logs[1])
	wiretest.Golden(t, *update, "zudu/odd.golden.json", logs)

	u := stocked(0)
	u.Reply = wiretest.Fixture(t, "zudu/odd.json")
	p, err := over(t, u).Find(t.Context(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 4)
	assert.Contains(t, p.Notes, "records of zudu that could not be read: 2")
	assert.Contains(t, p.Notes, "records of zudu without a start time, left out: 1")
}

func TestGoldenDetail(t *testing.T) {
	var wrapped, inside, bare detail
	require.NoError(t, json.Unmarshal(wiretest.Fixture(t, "zudu/detail.json"), &wrapped))
	wiretest.Golden(t, *update, "zudu/detail.golden.json", wrapped.log("zudu"))

	var data struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(wiretest.Fixture(t, "zudu/detail.json"), &data))
	require.NoError(t, json.Unmarshal(data.Data, &bare))
	assert.Equal(t, wrapped, bare)
	require.NoError(t, json.Unmarshal([]byte(`{"data": {"call": `+string(data.Data)+`}}`), &inside))
	assert.Equal(t, wrapped, inside)
	assert.Error(t, json.Unmarshal([]byte(`{"data": {"call": {}}}`), new(detail)))
}

func TestNoList(t *testing.T) {
	for _, text := range []string{`{"error": "x"}`, `[]`, `{"data": 5}`, `{"data": {"calls": null}}`, `{"data": {"calls": {}}}`} {
		assert.Error(t, json.Unmarshal([]byte(text), new(listAnswer)), text)
	}
	assert.NoError(t, json.Unmarshal([]byte(`{"data": {"calls": []}}`), new(listAnswer)))
}
