package loose_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/client/loose"
)

// A JSON string is read as encoding/json reads it, whatever is escaped in it.
func TestTextAsTheDecoder(t *testing.T) {
	pieces := []string{`a`, ` `, `é`, `€`, `😀`, `\n`, `\t`, `\"`, `\\`, `\/`, `\b`, `\f`, `\r`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\u0000`, `\\u00e9`, "\xff", `{\"a\": \"b\\n\"}`}
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(`"` + strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "pieces"), "") + `"`)
		var want string
		require.NoError(t, json.Unmarshal(raw, &want))
		var got loose.Text
		require.NoError(t, json.Unmarshal(raw, &got))
		require.Equal(t, strings.TrimSpace(want), strings.TrimSpace(string(got)), "%s", raw)
		require.Equal(t, strings.TrimSpace(want), string(loose.Unwrap(raw)), "%s", raw)
	})
}
