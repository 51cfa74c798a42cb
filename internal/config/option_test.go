package config

import (
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
)

// An option is declared once: what serve takes, the file takes, and each is held to
// a check that there is.
func TestEveryFlagOfServeStandsInTheFile(t *testing.T) {
	cmds := new(commands)
	parser, err := newParser(cmds, cmds.places(), client.Providers())
	require.NoError(t, err)
	of := optionsOf(parser.Model)
	for _, command := range parser.Model.Leaves(false) {
		if command.Name != "serve" {
			continue
		}
		for _, flag := range slices.Concat(command.AllFlags(false)...) {
			alone := []string{"help", "version", "config", "demo", "data"} // sources stand in the file as such
			if slices.Contains(alone, flag.Name) || flag.Tag.Has("key") {
				assert.NotContains(t, of, keyOf(flag))
				continue
			}
			assert.Contains(t, of, keyOf(flag), "tag file of --%s", flag.Name)
			_, known := checks()[flag.Tag.Get("file")]
			assert.True(t, known, "--%s has no check %q", flag.Name, flag.Tag.Get("file"))
		}
	}
}

func TestOptionsThatTheFileDidNotTake(t *testing.T) {
	c := parse(t, nil, "serve", "--config", written(t, "http: 127.0.0.1:0\nauth: none\nconnections_per_address: 7\nresource_links: never\n"))
	assert.Equal(t, 7, c.HTTP.PerAddress)
	assert.Equal(t, "never", c.Links)
	for words, want := range map[string]string{
		"connections_per_address: 0": "1: connections_per_address must be from 1 to 1000000, not 0",
		"resource_links: sometimes":  `1: resource_links must be one of auto, always, never, not "sometimes"`,
	} {
		_, err := Parse(client.Providers(), []string{"--config", written(t, words)}, env{}.get, io.Discard)
		assert.ErrorContains(t, err, want)
	}
}
