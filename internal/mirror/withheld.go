package mirror

import (
	"time"

	"call-logs-mcp/internal/call"
)

// maxWithheld bounds how many calls are remembered that must not be stored: the
// newest.
const maxWithheld = 1000

// withhold notes which of logs must not be stored, so that answers from the copy
// can say what they leave out. Of these calls the ledger has a key and a start.
func (s *state) withhold(logs []*call.Log) {
	for _, l := range logs {
		if !l.Sensitive {
			delete(s.Withheld, l.ID.Key)
			continue
		}
		if s.Withheld == nil {
			s.Withheld = map[string]int64{}
		}
		s.Withheld[l.ID.Key] = l.StartedAt.Unix()
	}
	for len(s.Withheld) > maxWithheld {
		oldest := ""
		for key, start := range s.Withheld {
			if at := s.Withheld[oldest]; oldest == "" || start < at || start == at && key < oldest {
				oldest = key
			}
		}
		s.Untold = max(s.Untold, s.Withheld[oldest])
		delete(s.Withheld, oldest)
	}
}

// recall forgets what was withheld of a span, which is read anew.
func (s *state) recall(sp span) {
	for _, key := range s.withheldIn(sp) {
		delete(s.Withheld, key)
	}
}

// withheldIn is what is known to be withheld of a span.
func (s *state) withheldIn(sp span) (keys []string) {
	for key, start := range s.Withheld {
		id, _ := number(key)
		if start >= sp.a && start < sp.b && id >= sp.idFrom && (sp.idTo == 0 || id <= sp.idTo) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Withheld are calls that may be shown and must not be stored, so that a copy
// does not have them.
type Withheld struct {
	Starts []time.Time // when those began that are known, to the second
	More   bool        // there may be others
}

// Any reports whether there may be any.
func (w Withheld) Any() bool { return w.More || len(w.Starts) > 0 }

// withheld is what is withheld of a window.
func (s *state) withheld(w call.Window) (out Withheld) {
	for _, at := range s.Withheld {
		start := time.Unix(at, 0).UTC()
		if !start.Before(w.From.Truncate(time.Second)) && !start.After(w.To) {
			out.Starts = append(out.Starts, start)
		}
	}
	out.More = s.Untold > 0 && s.Untold >= w.From.Unix()
	return out
}

// in is how many of the known ones began in one of windows.
func (w Withheld) in(windows []call.Window) (n int) {
	for _, start := range w.Starts {
		for _, x := range windows {
			if !start.Before(x.From.Truncate(time.Second)) && !start.After(x.To) {
				n++
				break
			}
		}
	}
	return n
}
