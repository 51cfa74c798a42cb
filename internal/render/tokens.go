package render

import "unicode/utf8"

// Tokens estimates how many tokens of o200k s takes, on the high side.
func Tokens(s string) int {
	n, run := 0, 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == ' ':
			run = 0
		case isAlnum(b):
			if run%4 == 0 {
				n++
			}
			run++
		default:
			n++
			run = 0
			if b >= utf8.RuneSelf {
				continue
			}
		}
	}
	return n
}
