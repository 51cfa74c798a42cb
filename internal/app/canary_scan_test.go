package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// noSecrets looks for every secret in all that came out and in the copy. Callers'
// tokens are not to be found in what upstreams were asked, either.
func (c *cage) noSecrets() {
	for name, secret := range c.secrets {
		for place, said := range c.said {
			c.absent(said.String(), secret, name+" is in "+place)
		}
		for id, record := range c.copied {
			c.absent(record, secret, name+" is in the copy of "+id.String())
		}
		if strings.Contains(name, "person") || strings.Contains(name, "access") || strings.Contains(name, "cursors") || strings.Contains(name, "wrong") {
			c.absent(c.carrier.heard.String(), secret, name+" went upstream")
		}
	}
	require.Contains(c.t, c.carrier.heard.String(), c.secrets["Cekura's key"], "the upstream was shown the key")
	require.Contains(c.t, c.carrier.heard.String(), c.secrets["Telzino's token"])
}

// absent says of a find where it is, without pages around it.
func (c *cage) absent(said, what, why string) {
	if i := strings.Index(said, what); i >= 0 {
		assert.Fail(c.t, why, "…%s…", said[max(0, i-300):min(len(said), i+len(what)+100)])
	}
}

// noPersonalData looks for every canary in what was said to who may not see it,
// and to the operator. That they can be found at all is seen where they may be
// shown, and in the copy.
func (c *cage) noPersonalData() {
	require.Len(c.t, c.carrier.told, len(c.carrier.canaries), "upstreams told all of them")
	var copied strings.Builder
	for _, record := range c.copied {
		copied.WriteString(record)
	}
	shown, held := c.said["shown"].String(), copied.String()
	inShown, inCopy := squeezed(shown), squeezed(held)
	found, kept := 0, 0
	for _, one := range c.carrier.canaries {
		if one.in(shown, inShown) {
			found++
		}
		if one.in(held, inCopy) {
			kept++
		}
	}
	c.t.Logf("of %d canaries %d were shown to who may see them, and %d are in the copy", len(c.carrier.canaries), found, kept)
	assert.Greater(c.t, found, 100)
	assert.Greater(c.t, kept, 150)
	for _, place := range []string{"stderr", "metrics", "traces"} {
		said := c.said[place].String()
		assert.False(c.t, canary{asked, squeezed(asked)}.in(said, squeezed(said)), "what was asked is in "+place)
	}
	for _, place := range []string{"stdout", "answers", "stderr", "metrics", "traces", "files after it"} {
		said := c.said[place]
		if !assert.NotNil(c.t, said, "nothing came to "+place) {
			continue
		}
		assert.NotZero(c.t, bytes.TrimSpace(said.Bytes()), place)
		c.unmasked(place, said.String())
	}
}

// unmasked fails for the first of the canaries in text, and says how many are.
func (c *cage) unmasked(place, text string) {
	digits := squeezed(text)
	var first string
	found := 0
	for _, one := range c.carrier.canaries {
		if !one.in(text, digits) {
			continue
		}
		if found++; first != "" {
			continue
		}
		in, what := text, one.written
		if !strings.Contains(in, what) {
			in, what = digits, one.digits
		}
		i := strings.Index(in, what)
		first = in[max(0, i-300):min(len(in), i+len(what)+100)]
	}
	assert.Zero(c.t, found, "pieces of personal data are in %s, the first here: …%s…", place, first)
}

// purges removes one caller, then a source, and looks into the copy before it is
// gone.
func (c *cage) purges() {
	c.copied = map[call.ID]string{}
	files, err := filepath.Glob(filepath.Join(c.home, ".cache", "call-logs-mcp", "*.db"))
	require.NoError(c.t, err)
	require.NotEmpty(c.t, files)
	for _, file := range files {
		db, err := store.Open(c.t.Context(), store.Options{Path: file, Now: time.Now})
		require.NoError(c.t, err)
		p, err := db.Find(c.t.Context(), call.Query{Limit: 1000})
		require.NoError(c.t, err)
		for _, l := range p.Logs {
			whole, err := db.Get(c.t.Context(), l.ID)
			require.NoError(c.t, err)
			text, err := json.Marshal(whole)
			require.NoError(c.t, err)
			c.copied[l.ID] = string(text)
		}
		require.NoError(c.t, db.Close())
	}
	require.Len(c.t, c.copied, 64)
	c.run("purge", "--number", c.carrier.canaries[0].written, "--yes")
	c.run("purge", "--source", "zudu", "--yes")
	c.files("before the purge of all")
	c.run("purge", "--all", "--yes")
	c.files("after it")
}

// files gathers all that lies around.
func (c *cage) files(when string) {
	for _, root := range []string{c.home, c.tmp} {
		require.NoError(c.t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			fmt.Fprintf(c.at("files "+when), "%s\n%s\n", path, data)
			return err
		}))
	}
}
