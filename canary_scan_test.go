package main

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// A leak is known, and not yet stopped: what of it to overlook where.
type leak struct {
	place string
	what  *regexp.Regexp
	why   string
}

func known() []leak {
	quoted, room := regexp.MustCompile(`«[^»]*»`), regexp.MustCompile(`call-_\+1\d{10}_`)
	return []leak{
		{"stdout", quoted, "doctor quotes what an upstream says when it refuses a question"},
		{"stderr", quoted, "so does the log, at the level of debugging"},
		{"answers", room, "Telzino names a call after its caller"},
		{"stdout", room, "Telzino names a call after its caller"},
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
		text := said.String()
		for _, l := range known() {
			if l.place == place && l.what.MatchString(text) {
				c.t.Logf("overlooked in %s: %s", place, l.why)
				text = l.what.ReplaceAllString(text, "")
			}
		}
		c.unmasked(place, text)
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
