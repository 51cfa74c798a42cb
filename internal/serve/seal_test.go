package serve

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSealsAreOnesOwn(t *testing.T) {
	s := NewSealer([]byte("shared by replicas"))
	a := As(t.Context(), Principal{Name: "a", Where: agent("7")})
	sealed := s.Seal(a, "c1.cursor")
	open := func(s *Sealer, p Principal, sealed string) bool {
		text, ok := s.Open(As(t.Context(), p), sealed)
		assert.Equal(t, ok, text == "c1.cursor")
		return ok
	}
	own := Principal{Name: "a", Where: agent("7")}
	assert.True(t, open(s, own, sealed))
	assert.True(t, open(NewSealer([]byte("shared by replicas")), own, " "+sealed+"\n"))
	assert.False(t, open(NewSealer(nil), own, sealed), "another server's")
	assert.False(t, open(s, Principal{Name: "b", Where: agent("7")}, sealed))
	assert.False(t, open(s, Principal{Name: "a", Where: agent("8")}, sealed))
	assert.False(t, open(s, Principal{Name: "a"}, sealed))
	assert.False(t, open(s, own, "c1.cursor"), "one that was never sealed")
	for i := range sealed {
		changed := []byte(sealed)
		changed[i] ^= 1
		assert.False(t, open(s, own, string(changed)), "byte %d", i)
		if i > 0 {
			assert.False(t, open(s, own, sealed[:i]))
		}
	}
	s.now = func() time.Time { return time.Now().Add(sealLife + time.Minute) }
	assert.False(t, open(s, own, sealed), "a day later")
	assert.Equal(t, "c1.cursor", s.Seal(t.Context(), "c1.cursor"), "over stdio there is nobody to keep it from")
	text, ok := s.Open(t.Context(), "c1.cursor")
	assert.True(t, ok && text == "c1.cursor")
}
