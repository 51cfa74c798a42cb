package wire

import (
	"context"
	"fmt"
	"maps"

	"call-logs-mcp/internal/call"
)

// passes bounds how often a list that is not sorted is read, while it changes.
const passes = 5

// gather reads a list that is not sorted to its end. Rows that vanish move
// others to a page that was read already, so it reads again until what came is
// what the upstream counts, or what came before. Where neither happens, it says
// that calls may be missing.
func (l *lane) gather(ctx context.Context) error {
	met := map[string]*call.Log{}
	var last map[string]bool // of the pass before; nil where that met no end
	sure := false
	for range passes {
		p, err := l.pass(ctx, met)
		if err != nil {
			return err
		}
		if sure = p.counted || p.ended && maps.Equal(p.came, last); sure || l.lost {
			break
		}
		if last = nil; p.ended {
			last = p.came
		}
	}
	for _, row := range met {
		l.take(row, 0)
	}
	l.note("%s does not answer in the order of time; its calls were sorted here", l.w.name(l))
	if !sure && !l.lost {
		l.lost = true
		l.note("%s changes faster than it can be read; calls may be missing", l.w.name(l))
	}
	l.done = true
	return nil
}

// maxRepeats is how many pages in a row of a list that changes may bring
// nothing new: it slides.
const maxRepeats = 8

// A pass is one reading of a list by its pages.
type pass struct {
	came    map[string]bool
	ended   bool // the upstream said so
	counted bool // as many came as were counted, the same at the beginning and the end
}

// pass reads the pages of the list once into met.
func (l *lane) pass(ctx context.Context, met map[string]*call.Log) (p pass, err error) {
	p.came = map[string]bool{}
	clear(l.broken)
	first, total, repeats := -1, -1, 0
	for at := 0; ; {
		r, err := l.cover(ctx, func() (int, int) { return fit(at, l.Max, l.Max) })
		if err != nil {
			return p, err
		}
		l.read += len(r.rows)
		before := len(p.came)
		for _, row := range r.rows {
			if row == nil {
				l.broken[len(l.broken)] = true
				continue
			}
			p.came[row.ID.Key], met[row.ID.Key] = true, row
		}
		if at == 0 {
			first = r.total
		}
		if repeats++; len(p.came) > before {
			repeats = 0
		}
		still := r.total == total // nor does it move
		total = r.total
		switch at = r.at + len(r.rows); {
		case r.end:
			p.ended = true
			p.counted = r.total >= 0 && r.total == first && r.total == len(p.came)+len(l.broken) || r.at == 0
			return p, nil
		case repeats > 0 && (still || repeats > maxRepeats): // the upstream repeats its pages
			return p, nil
		case len(met) > l.w.scan:
			l.lost = true
			l.note("%s was read in the order it has, the first %d calls of it", l.w.name(l), len(met))
			return p, nil
		}
	}
}

func (l *lane) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}
