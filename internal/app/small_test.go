package app

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror"
	"call-logs-mcp/internal/mirror/store"
)

// A long list of ids neither swells the cursor, nor is it called ignored, nor is the
// window then the source's default; and the cursor alone goes on with it.
func TestLongCallIDs(t *testing.T) {
	for _, copied := range []string{"off", "memory"} {
		h, c := demo(t, "--mirror", copied)
		for _, n := range []int{150, 900} {
			ids := make([]string, n)
			for i := range ids {
				ids[i] = fmt.Sprint(77000 + i)
			}
			args := fmt.Sprintf(`"call_ids":%q,"page_size":4`, strings.Join(ids, ","))
			text := textOf(t, ask(t, c, "list_call_logs", "{"+args+"}"))
			assert.NotContains(t, text, "ignored", "%d ids", n)
			assert.NotContains(t, text, "the source's default")
			cursor := regexp.MustCompile(`cursor (\S+)`).FindStringSubmatch(text)
			require.NotNil(t, cursor, text)
			assert.Less(t, len(cursor[1]), 200, "%d ids", n)
			var first, second, again listPage
			data(t, c, "list_call_logs", "{"+args+"}", &first)
			data(t, c, "list_call_logs", fmt.Sprintf(`{"cursor":%q}`, cursor[1]), &second)
			require.NotEmpty(t, second.Calls)
			assert.NotContains(t, first.Calls, second.Calls[0])
			// A process that does not hold the filter needs it again, and says so.
			other := h
			other.tools.Held = nil
			fresh := other.client(t)
			r := ask(t, fresh, "list_call_logs", fmt.Sprintf(`{"cursor":%q}`, cursor[1]))
			assert.True(t, r.IsError)
			assert.Contains(t, textOf(t, r), "Repeat the arguments")
			data(t, fresh, "list_call_logs", fmt.Sprintf(`{"cursor":%q,%s}`, cursor[1], args), &again)
			assert.Equal(t, second.Calls, again.Calls)
		}
	}
}

// Arguments that other tools have are answered with how it is asked here.
func TestHintsForForeignArguments(t *testing.T) {
	_, c := demo(t)
	for args, want := range map[string]string{
		`{"page":2}`:               "cursor",
		`{"offset":20}`:            "cursor",
		`{"status":"completed"}`:   `filters_v2: {"field":"status","op":"eq"`,
		`{"agent_name":"Billing"}`: `filters_v2: {"field":"agent.agent_name","op":"eq"`,
		`{"direction":"inbound"}`:  `filters_v2: {"field":"direction","op":"eq"`,
		`{"search":"refund"}`:      "search_transcripts, with query",
	} {
		r := ask(t, c, "list_call_logs", args)
		assert.True(t, r.IsError, args)
		assert.Contains(t, textOf(t, r), want, args)
	}
}

// Help is help, of the program and of a command.
func TestHelpIsHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"help", "sync"}} {
		out, _, err := command(t, args...)
		require.NoError(t, err, args)
		assert.Contains(t, out, "Usage: call-logs-mcp", args)
	}
	out, _, err := command(t, "help", "sync")
	require.NoError(t, err)
	assert.Contains(t, out, "--follow")
}

// A second sync says who syncs, and how far that is.
func TestSecondSyncSaysWhoSyncs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	_, _, err := command(t, "sync", "--demo", "--mirror", path)
	require.NoError(t, err)
	db, err := store.Open(t.Context(), store.Options{Path: path})
	require.NoError(t, err)
	defer db.Close()
	unlock, err := db.Lock(t.Context())
	require.NoError(t, err)
	defer unlock()
	_, _, err = command(t, "sync", "--demo", "--mirror", path)
	require.Error(t, err)
	assert.Regexp(t, fmt.Sprintf(`^process %d syncs this copy since \d{4}-\d\d-\d\d \d\d:\d\d UTC; so far demo: 600 calls from .* UTC; `, os.Getpid()), err.Error())
	assert.NotContains(t, err.Error(), "store:")
}

func TestOneWindowWas(t *testing.T) {
	for n, want := range map[int]string{1: "1 window was never read", 2: "2 windows were never read"} {
		assert.Equal(t, want, coveredWords(mirror.Coverage{AsOf: now(), Unread: make([]call.Window, n)}, 24*time.Hour))
	}
}
