package rest

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// A question with a body is asked again with the same body.
func TestPost(t *testing.T) {
	var bodies []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.Header.Get("Content-Type")+" "+string(body))
		if len(bodies) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"ok": true}`)
	})
	c, _ := open(t, base, quick())
	var a answer
	meta, err := c.Post(t.Context(), "/calls", map[string]any{"page": 0}, &a)
	require.NoError(t, err)
	assert.True(t, a.OK)
	assert.Equal(t, 2, meta.Attempts)
	assert.Equal(t, []string{`POST application/json {"page":0}`, `POST application/json {"page":0}`}, bodies)
}

// What a body holds in secret is blotted out of an answer that repeats it.
func TestPostedSecretsStaySecret(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "bad secret " + body["secret"]})
	})
	c, log := open(t, base, quick())
	c.o.Secrets = func() []string { return []string{canary} }
	c.o.Header = nil
	_, err := c.Post(t.Context(), "/oauth/token", map[string]string{"secret": canary}, nil)
	wantError(t, err, call.Invalid, "bad secret [redacted]")
	assert.NotContains(t, log.String(), canary)
}
