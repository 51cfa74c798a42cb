package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// A file whose index was made for another View, or for none, is indexed anew when
// it is opened, and who may not see all finds what he is shown and nothing else.
func TestIndexIsMadeAnewForAnotherView(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	open := func(view *call.View, version string) *Store {
		s, err := Open(ctx, Options{Path: path, View: view, Version: version})
		require.NoError(t, err)
		return s
	}
	hides := func(word string) *call.View {
		text := func(s string) string { return strings.ReplaceAll(s, word, "•••") }
		return &call.View{Text: text, Number: text, Name: func(s string) string { return s }, Hides: true}
	}
	find := func(s *Store, view *call.View, query string, order call.Order) int {
		text, err := call.ParseText(query)
		require.NoError(t, err)
		p, err := s.Find(ctx, call.Query{Text: text, Order: order, View: view})
		require.NoError(t, err)
		return len(p.Logs)
	}
	s := open(nil, "")
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	_, err := s.Commit(ctx, Change{Source: "s", ReadAt: at, Put: []*call.Log{
		{ID: call.ID{Source: "s", Key: "1"}, StartedAt: at, Turns: []call.Turn{{Index: 1, Role: call.RoleCaller, Text: "the secret word is gone"}}},
	}})
	require.NoError(t, err)
	require.NoError(t, s.Close())

	first := hides("secret")
	s = open(first, "1")
	for _, order := range []call.Order{call.Newest, call.Relevance} {
		assert.Equal(t, 0, find(s, first, "secret", order))
		assert.Equal(t, 1, find(s, first, "word", order))
		assert.Equal(t, 1, find(s, nil, "secret", order))
		assert.Equal(t, 1, find(s, nil, `"secret word"`, order))
		assert.Equal(t, 0, find(s, first, "secr*", order))
		assert.Equal(t, 1, find(s, first, "word -secret", order), "what is hidden excludes nothing")
	}
	second := hides("word")
	other := open(second, "2")
	assert.Equal(t, 1, find(other, second, "secret", call.Newest))
	assert.Equal(t, 0, find(other, second, "word", call.Newest))
	require.NoError(t, other.Close())
	require.NoError(t, s.Close())
}
