package call

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"

	"call-logs-mcp/internal/filter"
)

// Folding makes words comparable: compatibility decomposition (full and half
// width, ligatures, presentation forms), lower case, no accents, Arabic and
// Hebrew words without their points, and one spelling for the letters of
// undecomposed. What it leaves of a rune is written to the word as NFC in the end.

// undecomposed are lower-case letters that Unicode takes for letters of their
// own, and how they are written where a keyboard lacks them.
var undecomposed = map[rune]string{
	'ß': "ss", 'ł': "l", 'đ': "d", 'ð': "d", 'ɖ': "d", 'ø': "o", 'œ': "oe", 'æ': "ae", 'þ': "th", 'ı': "i", 'ȷ': "j",
	'ħ': "h", 'ŧ': "t", 'ŋ': "n", 'ĸ': "k", 'ƀ': "b", 'ɓ': "b", 'ƈ': "c", 'ȼ': "c", 'ɗ': "d", 'ɇ': "e", 'ɠ': "g",
	'ǥ': "g", 'ɨ': "i", 'ɉ': "j", 'ƙ': "k", 'ƚ': "l", 'ɲ': "n", 'ƞ': "n", 'ɵ': "o", 'ƥ': "p", 'ɍ': "r", 'ƭ': "t",
	'ʉ': "u", 'ƴ': "y", 'ɏ': "y", 'ƶ': "z", 'ȥ': "z", 'ə': "e", 'ɛ': "e", 'ɔ': "o",
	'ς': "σ",
	'ٱ': "ا", 'ى': "ي", 'ی': "ي", 'ې': "ي", 'ک': "ك", 'ڪ': "ك", 'ة': "ه", 'ە': "ه", 'ہ': "ه", 'ھ': "ه",
}

// unspaced are the scripts that set no spaces between words. Each character of
// them, with its marks, is a word, and a run of them is sought as a phrase.
var unspaced = rangetable.Merge(
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Khmer,
	unicode.Myanmar, unicode.Tai_Tham, unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Viet, unicode.Javanese,
	unicode.Balinese, rangetable.New('ー', 'ゝ', 'ゞ'),
)

// silent are marks that make no other word: accents over and under Latin, Greek
// and Cyrillic letters, the points of Hebrew and Arabic, and the Arabic
// lengthening stroke. The vowel signs of Hindi and Thai and the voicing marks of
// Japanese do.
var silent = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0300, Hi: 0x036f, Stride: 1}, {Lo: 0x0483, Hi: 0x0487, Stride: 1},
	{Lo: 0x0591, Hi: 0x05bd, Stride: 1}, {Lo: 0x05bf, Hi: 0x05bf, Stride: 1}, {Lo: 0x05c1, Hi: 0x05c2, Stride: 1},
	{Lo: 0x05c4, Hi: 0x05c5, Stride: 1}, {Lo: 0x05c7, Hi: 0x05c7, Stride: 1},
	{Lo: 0x0610, Hi: 0x061a, Stride: 1}, {Lo: 0x0640, Hi: 0x0640, Stride: 1}, {Lo: 0x064b, Hi: 0x065f, Stride: 1},
	{Lo: 0x0670, Hi: 0x0670, Stride: 1}, {Lo: 0x06d6, Hi: 0x06dc, Stride: 1}, {Lo: 0x06df, Hi: 0x06e4, Stride: 1},
	{Lo: 0x06e7, Hi: 0x06e8, Stride: 1}, {Lo: 0x06ea, Hi: 0x06ed, Stride: 1},
	{Lo: 0x1ab0, Hi: 0x1aff, Stride: 1}, {Lo: 0x1dc0, Hi: 0x1dff, Stride: 1}, {Lo: 0x20d0, Hi: 0x20ff, Stride: 1},
	{Lo: 0xfe20, Hi: 0xfe2f, Stride: 1},
}}

// A runeClass says what a rune is to a word.
type runeClass uint8

const (
	parting runeClass = iota // ends it
	letter                   // a letter or digit
	single                   // a word of its own, with the marks behind it
	joined                   // a mark, which goes on with a word and begins none
	unseen                   // takes no room on the page, so that the word goes on as if it were not there
)

// common are the kana and ideographs that nearly all of Chinese and Japanese is
// written with. Nothing of them is folded.
func common(r rune) bool {
	return 0x3041 <= r && r <= 0x3096 || 0x30a1 <= r && r <= 0x30fa || 0x4e00 <= r && r <= 0x9fff
}

// classOf is the class of a rune beyond ASCII, as it stands or decomposed.
func classOf(r rune) runeClass {
	switch {
	case common(r):
		return single // ahead of the slower questions
	case 0xac00 <= r && r <= 0xd7a3, 0xc0 <= r && r < 0x250 && r != '×' && r != '÷':
		return letter
	case 0x2bb <= r && r <= 0x2bd:
		return parting // letters that are written as apostrophes are: don’t is two words, too
	case unicode.IsNumber(r):
		return letter
	case unicode.IsLetter(r):
		if r >= 0xe00 && unicode.Is(unspaced, r) {
			return single
		}
		return letter
	case filter.Unseen(r):
		return unseen
	case unicode.IsMark(r):
		return joined
	}
	return parting
}

// folded holds what foldRune makes of the letters of Latin, which are met most.
var folded = func() (f [0x250]string) {
	for r := rune(0x80); r < 0x250; r++ {
		f[r] = string(appendDecomposed(nil, r))
	}
	return f
}()

// appendFolded appends what a rune of a word is compared as.
func appendFolded(b []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		return append(b, lower(byte(r)))
	case r < 0x250:
		return append(b, folded[r]...)
	case common(r), 0xac00 <= r && r <= 0xd7a3:
		return utf8.AppendRune(b, r) // NFC puts kana together again in any case
	}
	return appendDecomposed(b, r)
}

func appendDecomposed(b []byte, r rune) []byte {
	var raw [utf8.UTFMax]byte
	n := utf8.EncodeRune(raw[:], r)
	whole := norm.NFKD.Properties(raw[:n]).Decomposition()
	if whole == nil {
		whole = raw[:n]
	}
	for len(whole) > 0 {
		r, n := utf8.DecodeRune(whole)
		whole = whole[n:]
		if unicode.Is(silent, r) {
			continue
		}
		r = unicode.ToLower(r)
		if letters, ok := undecomposed[r]; ok {
			b = append(b, letters...)
		} else if d := digit(r); d > 0 {
			b = append(b, d)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// digit is the ASCII digit for a decimal digit of another script, 0 for others.
// Unicode has the ten of each script in a row.
func digit(r rune) byte {
	if r < 0x660 || !unicode.Is(unicode.Nd, r) {
		return 0
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + byte((r-rune(t.Lo))%10)
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + byte((r-rune(t.Lo))%10)
		}
	}
	return 0
}
