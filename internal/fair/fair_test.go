package fair

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlacesAreEachOnesOwn(t *testing.T) {
	s := New(3, 2, 5*time.Millisecond)
	enter := func(key string) func() { leave, _ := s.Enter(t.Context(), key); return leave }
	first, second := enter("a"), enter("a")
	assert.Nil(t, enter("a"), "at most two of one")
	third := enter("b")
	require.NotNil(t, third)
	assert.Nil(t, enter("c"), "at most three of all")
	first()
	fourth := enter("c")
	require.NotNil(t, fourth)
	second()
	third()
	fourth()
	assert.Empty(t, s.byKey)
	assert.Zero(t, s.Inside())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	full := New(1, 1, time.Minute)
	leave, _ := full.Enter(ctx, "a")
	_, ok := full.Enter(ctx, "a")
	assert.False(t, ok, "who left does not wait")
	leave()
}

// A moment's wait takes what would come soon.
func TestPlacesWaitForAMoment(t *testing.T) {
	s := New(1, 1, time.Minute)
	leave, _ := s.Enter(t.Context(), "a")
	time.AfterFunc(10*time.Millisecond, leave)
	leave, ok := s.Enter(t.Context(), "a")
	require.True(t, ok)
	leave()
}

// Without a wait it is the context that says for how long.
func TestPlacesWaitAsLongAsTheContext(t *testing.T) {
	s := New(1, 1, 0)
	leave, _ := s.Enter(t.Context(), "a")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, ok := s.Enter(ctx, "b")
	assert.False(t, ok)
	leave()
	assert.Empty(t, s.byKey)
}

func TestKeyOfAContext(t *testing.T) {
	assert.Empty(t, Key(t.Context()))
	assert.Equal(t, "anna", Key(By(t.Context(), "anna")))
}
