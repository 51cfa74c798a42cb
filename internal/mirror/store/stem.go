package store

import "strings"

// stem takes the inflections off an English word: Porter's algorithm of 1980,
// "An algorithm for suffix stripping". Words that share a stem are searched
// together. Anything but a word of ASCII letters is its own stem.
func stem(word string) string {
	if len(word) < 3 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
		return word
	}
	w := step1(word)
	w = suffix(w, step2, 0)
	w = suffix(w, step3, 0)
	w = step4(w)
	return step5(w)
}

// vowel reports whether the letter at i is one; y is, behind a consonant.
func vowel(w string, i int) bool {
	switch w[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return true
	case 'y':
		return i > 0 && !vowel(w, i-1)
	}
	return false
}

// measure counts the changes from vowels to consonants.
func measure(w string) (m int) {
	was := false
	for i := range len(w) {
		is := vowel(w, i)
		if was && !is {
			m++
		}
		was = is
	}
	return m
}

func hasVowel(w string) bool {
	for i := range len(w) {
		if vowel(w, i) {
			return true
		}
	}
	return false
}

// doubled reports whether w ends with a consonant twice.
func doubled(w string) bool {
	n := len(w)
	return n > 1 && w[n-1] == w[n-2] && !vowel(w, n-1)
}

// short reports whether w ends with consonant, vowel, consonant, as hop does.
func short(w string) bool {
	n := len(w)
	return n > 2 && !vowel(w, n-3) && vowel(w, n-2) && !vowel(w, n-1) && !strings.ContainsRune("wxy", rune(w[n-1]))
}

// step1 takes off plurals, -ed and -ing.
func step1(w string) string {
	switch {
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "ies"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "ss"):
	case strings.HasSuffix(w, "s"):
		w = w[:len(w)-1]
	}
	if base, ok := strings.CutSuffix(w, "eed"); ok {
		if measure(base) > 0 {
			w = w[:len(w)-1]
		}
	} else {
		for _, end := range []string{"ed", "ing"} {
			if base, ok := strings.CutSuffix(w, end); ok && hasVowel(base) {
				w = mend(base)
				break
			}
		}
	}
	if base, ok := strings.CutSuffix(w, "y"); ok && hasVowel(base) {
		w = base + "i"
	}
	return w
}

// mend gives a word whose ending was cut off its own back.
func mend(w string) string {
	switch {
	case strings.HasSuffix(w, "at"), strings.HasSuffix(w, "bl"), strings.HasSuffix(w, "iz"):
		return w + "e"
	case doubled(w) && !strings.ContainsRune("lsz", rune(w[len(w)-1])):
		return w[:len(w)-1]
	case measure(w) == 1 && short(w):
		return w + "e"
	}
	return w
}

// Suffixes and what takes their place, the longer before those that end them.
var (
	step2 = []string{
		"ational", "ate", "tional", "tion", "enci", "ence", "anci", "ance", "izer", "ize", "abli", "able", "alli", "al", "entli", "ent",
		"eli", "e", "ousli", "ous", "ization", "ize", "ation", "ate", "ator", "ate", "alism", "al", "iveness", "ive", "fulness", "ful",
		"ousness", "ous", "aliti", "al", "iviti", "ive", "biliti", "ble",
	}
	step3  = []string{"icate", "ic", "ative", "", "alize", "al", "iciti", "ic", "ical", "ic", "ful", "", "ness", ""}
	step4s = []string{
		"ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "al", "er", "ic", "ou",
	}
)

// suffix replaces the first of some that w ends with, where enough is left.
func suffix(w string, pairs []string, least int) string {
	for i := 0; i < len(pairs); i += 2 {
		if base, ok := strings.CutSuffix(w, pairs[i]); ok {
			if measure(base) > least {
				return base + pairs[i+1]
			}
			return w
		}
	}
	return w
}

func step4(w string) string {
	if base, ok := strings.CutSuffix(w, "ion"); ok {
		if measure(base) > 1 && strings.ContainsRune("st", rune(base[len(base)-1])) {
			return base
		}
		return w
	}
	for _, end := range step4s {
		if base, ok := strings.CutSuffix(w, end); ok {
			if measure(base) > 1 {
				return base
			}
			return w
		}
	}
	return w
}

// step5 takes off a final e, and one l of two.
func step5(w string) string {
	if base, ok := strings.CutSuffix(w, "e"); ok {
		if m := measure(base); m > 1 || m == 1 && !short(base) {
			w = base
		}
	}
	if strings.HasSuffix(w, "ll") && measure(w) > 1 {
		w = w[:len(w)-1]
	}
	return w
}
