package call_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
)

func TestParseID(t *testing.T) {
	two, one := []string{"cekura", "zudu"}, []string{"cekura"}
	for _, c := range []struct {
		in      string
		sources []string
		want    string // an id, or a part of the error
	}{
		{"cekura/48213", two, "cekura/48213"},
		{"  cekura/48213\n", two, "cekura/48213"},
		{"cekura/call_9f31c2", two, "cekura/call_9f31c2"},
		{"48213", one, "cekura/48213"},
		{"call://cekura/48213", two, "cekura/48213"},
		{"call://cekura/48213/transcript?turns=3-5", two, "cekura/48213"},
		{"call://cekura/48213?x=/y", two, "cekura/48213"},
		{"call://cekura/a%2Fb%3Fc", two, "cekura/a/b?c"},
		{"cekura/a/b", two, "cekura/a/b"},
		{"48213", two, `"48213" does not say which source it is of. Write cekura/48213; sources: cekura, zudu.`},
		{"telzino/48213", two, `No source "telzino". An id is source/key; sources: cekura, zudu.`},
		{"telzino/48213", one, `No source "telzino".`},
		{"", one, "That is no call id. Ids look like cekura/48213"},
		{"cekura/", one, "That is no call id."},
		{"call://cekura", two, "That is no call id."},
		{strings.Repeat("9", 201), one, "That is no call id."},
		{"cekura/" + strings.Repeat("9", 201), two, "That is no call id."},
	} {
		id, err := call.ParseID(c.in, c.sources)
		if err != nil {
			var e *call.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, call.Invalid, e.Kind)
			assert.ErrorContains(t, err, c.want, c.in)
			continue
		}
		assert.Equal(t, c.want, id.String(), c.in)
	}
}

func TestURIRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := call.ID{
			Source: rapid.StringMatching(`[a-z][a-z0-9 .%_-]{0,10}`).Draw(t, "source"),
			Key:    rapid.StringMatching(`[^\x00-\x20]{1,20}`).Draw(t, "key"),
		}
		back, err := call.ParseID(id.URI(), []string{id.Source, "other"})
		require.NoError(t, err, id.URI())
		require.Equal(t, id, back)
	})
}
