package redact

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestMask reads testdata/masked.txt: pairs of lines, what is said and what is
// shown of it.
func TestMask(t *testing.T) {
	m := New()
	lines := read(t, "testdata/masked.txt")
	require.Zero(t, len(lines)%2)
	for i := 0; i < len(lines); i += 2 {
		assert.Equal(t, lines[i+1], m.Mask(lines[i]), lines[i])
		assert.Equal(t, lines[i+1], m.Mask(lines[i+1]), "masked twice")
	}
}

// TestMaskLeaves reads testdata/kept.txt: lines with nothing to mask.
func TestMaskLeaves(t *testing.T) {
	m := New()
	for _, line := range read(t, "testdata/kept.txt") {
		assert.Equal(t, line, m.Mask(line))
	}
}

// read returns the lines of a file that are neither empty nor comments. ␠, ␣ and
// ⁀ stand for a no-break space, a thin space and a zero-width space.
func read(t testing.TB, name string) []string {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	spaces := strings.NewReplacer("␠", "\u00a0", "␣", "\u2009", "⁀", "\u200b")
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "// ") {
			lines = append(lines, spaces.Replace(line))
		}
	}
	return lines
}

// TestCardsNeverPass draws cards of every issuer, writes them in any usual
// grouping between any words, and looks for them in what comes out.
func TestCardsNeverPass(t *testing.T) {
	m := New()
	rapid.Check(t, func(t *rapid.T) {
		card := drawCard(t)
		sep := rapid.SampledFrom([]string{"", " ", "-", ".", "\u00a0", "\u2009", ", ", " - "}).Draw(t, "sep")
		size := rapid.SampledFrom([]int{1, 2, 3, 4}).Draw(t, "size")
		before := rapid.SampledFrom([]string{"", "my card is ", "it's: ", "(", "卡号", "ok. "}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", ".", " expires 12/27", ", thanks", ")", "?"}).Draw(t, "after")
		text := before + join(card, size, sep) + after
		got := m.Mask(text)
		assert.NotContains(t, digitsOf(got), card[:len(card)-4], text)
		assert.Contains(t, digitsOf(got), card[len(card)-4:], text)
		assert.Equal(t, got, m.Mask(got))
	})
}

// TestPhonesNeverPass does the same for North American numbers.
func TestPhonesNeverPass(t *testing.T) {
	m := New()
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.SampledFrom([]string{"212", "415", "312", "617", "702", "808", "416"}).Draw(t, "area")
		rest := rapid.StringMatching(`[2-9](0[02-9]|[2-9][0-9])[0-9]{4}`).Draw(t, "rest")
		form := rapid.SampledFrom([]string{"(A) B-C", "A-B-C", "A.B.C", "A B C", "ABC", "+1ABC", "+1 A B C", "1-A-B-C", "+1 (A) B-C", "(A)B-C", "A BC"}).Draw(t, "form")
		number := strings.NewReplacer("A", area, "B", rest[:3], "C", rest[3:]).Replace(form)
		before := rapid.SampledFrom([]string{"", "call me at ", "it's ", "电话", "\"phone\":\"", "ok. "}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", ".", " please", ", thanks", "\"", " x12"}).Draw(t, "after")
		got := m.Mask(before + number + after)
		assert.NotContains(t, digitsOf(got), area+rest[:3], number)
		assert.Contains(t, got, rest[3:], number)
	})
}

// TestMaskIsIdempotent mixes what masks look for with what they leave.
func TestMaskIsIdempotent(t *testing.T) {
	m := New()
	pieces := append(read(t, "testdata/masked.txt"), read(t, "testdata/kept.txt")...)
	pieces = append(pieces, "•", "1", "0100", "+", "(", ") ", "-", " ", "@", "four ", "double ", "x", "４１")
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 6).Draw(t, "pieces"), rapid.SampledFrom([]string{"", " ", ", "}).Draw(t, "sep"))
		once := m.Mask(s)
		assert.Equal(t, once, m.Mask(once), s)
	})
}

// Digits said one by one without an end are read in parts: what would take
// minutes if each were the beginning of all that follow takes a moment.
func TestEndlessDictation(t *testing.T) {
	m := New()
	begin := time.Now()
	for _, said := range []string{"1 uh ", "one uh ", "one 1 uh ", "double uh ", "one, it's 12 uh "} {
		m.Mask("my order is " + strings.Repeat(said, 40_000))
	}
	assert.Less(t, time.Since(begin), 30*time.Second)
}

// TestStarts keeps the table of first letters in step with the words.
func TestStarts(t *testing.T) {
	n := 0
	for word, s := range sayings {
		if s.what != aFiller && s.what != aHundred && len(word) > 1 && word[0] < utf8.RuneSelf && word[1] < utf8.RuneSelf {
			n++
			assert.True(t, mayBeSpoken(word[0], word[1], len(word)), word)
			assert.LessOrEqual(t, len(word), maxSaying, word)
		}
	}
	assert.Greater(t, n, 200)
}

func FuzzMask(f *testing.F) {
	for _, line := range append(read(f, "testdata/masked.txt"), read(f, "testdata/kept.txt")...) {
		f.Add(line)
	}
	m := New()
	f.Fuzz(func(t *testing.T, s string) {
		once := m.Mask(s)
		if twice := m.Mask(once); twice != once {
			t.Errorf("%q: %q, then %q", s, once, twice)
		}
		if utf8.ValidString(s) && !utf8.ValidString(once) {
			t.Errorf("%q: %q is no UTF-8", s, once)
		}
		if strings.TrimRight(once, "x") == "" && once != s {
			t.Errorf("%q: nothing left", s)
		}
	})
}

func TestMaskAllocatesNothingForPlainText(t *testing.T) {
	m := New()
	text := plainText
	assert.Zero(t, testing.AllocsPerRun(20, func() { m.Mask(text) }))
	assert.Zero(t, testing.AllocsPerRun(20, func() { m.Mask("order 48213 of 2026-11-20 14:10:05, ref 8f14e45fceea167a, one of two") }))
}

var plainText = strings.Repeat("Thanks for calling, how can I help you today? I was charged twice for my order and nobody called me back. ", 40)

func BenchmarkMask(b *testing.B) {
	m := New()
	for name, text := range map[string]string{
		"plain":  plainText,
		"digits": strings.Repeat("order 48213 from 2026-11-20 14:10, 3 items at 12.99 each. ", 80),
		"phones": strings.Repeat("call me at 415-555-0100 or write to jane@example.com when it is done. ", 60),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				m.Mask(text)
			}
		})
	}
}

// drawCard makes up a card that passes Luhn's check.
func drawCard(t *rapid.T) string {
	kind := rapid.SampledFrom([]struct {
		prefix string
		n      int
	}{{"4", 16}, {"51", 16}, {"55", 16}, {"2221", 16}, {"2720", 16}, {"34", 15}, {"37", 15}, {"6011", 16}, {"65", 16}, {"36", 14}, {"3530", 16}, {"62", 16}}).Draw(t, "issuer")
	d := []byte(kind.prefix)
	for len(d) < kind.n-1 {
		d = append(d, byte('0'+rapid.IntRange(0, 9).Draw(t, "digit")))
	}
	for c := byte('0'); ; c++ {
		if luhn(append(d, c)) {
			return string(append(d, c))
		}
	}
}

func join(s string, size int, sep string) string {
	var parts []string
	for len(s) > size {
		parts, s = append(parts, s[:size]), s[size:]
	}
	return strings.Join(append(parts, s), sep)
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
