package rest

import (
	"bytes"
	"encoding/json"
)

// manyKeys is from how many keys on an object's are looked up instead of compared
// one by one.
const manyKeys = 32

// A level is an object or a list that is open where a walk stands.
type level struct {
	list bool
	from int             // where its keys begin
	seen map[string]bool // its keys, once there are many
}

// duplicate finds a key that stands twice in one object of a JSON text. Readers
// differ in which of the two they take, so that who checked one may be shown the
// other. It reads the bytes once, without decoding them; what is no JSON has none.
func duplicate(text []byte) (key string, found bool) {
	var open []level
	var keys [][]byte
	isKey := false // the next string is one
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			open = append(open, level{list: text[i] == '[', from: len(keys)})
			isKey = text[i] == '{'
		case '}', ']':
			if len(open) == 0 {
				return "", false
			}
			keys = keys[:open[len(open)-1].from]
			open = open[:len(open)-1]
			isKey = false
		case ',':
			isKey = len(open) > 0 && !open[len(open)-1].list
		case '"':
			end := closing(text, i+1)
			if end < 0 {
				return "", false
			}
			if isKey {
				k := plainKey(text[i : end+1])
				if keys, found = open[len(open)-1].add(keys, k); found {
					return string(k), true
				}
				isKey = false
			}
			i = end
		}
	}
	return "", false
}

// closing is where the string that begins at i ends, negative where it does not.
func closing(text []byte, i int) int {
	for {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return -1
		}
		end := i + n
		slashes := 0
		for end-1-slashes >= i && text[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end
		}
		i = end + 1
	}
}

// plainKey is a quoted key without quotes and escapes.
func plainKey(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var s string
		if json.Unmarshal(quoted, &s) == nil {
			return []byte(s)
		}
	}
	return quoted[1 : len(quoted)-1]
}

// add notes a key of l, and says whether it was there.
func (l *level) add(keys [][]byte, k []byte) ([][]byte, bool) {
	own := keys[l.from:]
	switch {
	case l.seen != nil:
		if l.seen[string(k)] {
			return keys, true
		}
		l.seen[string(k)] = true
		return keys, false
	case len(own) == manyKeys:
		l.seen = make(map[string]bool, 4*manyKeys)
		for _, old := range own {
			l.seen[string(old)] = true
		}
		return l.add(keys, k)
	}
	for _, old := range own {
		if bytes.Equal(old, k) {
			return keys, true
		}
	}
	return append(keys, k), false
}
