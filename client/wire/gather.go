package wire

import (
	"context"
	"fmt"

	"call-logs-mcp/internal/call"
)

// passes bounds how often a list that is not sorted is read, while it changes.
const passes = 5

// gather reads a list that is not sorted to its end. Rows that vanish move
// others to a page that was read already, so it reads again until what it met
// is what the upstream counts, or nothing new comes.
func (l *lane) gather(ctx context.Context) error {
	met := map[string]*call.Log{}
	for pass := range passes {
		before := len(met)
		clean, err := l.pass(ctx, met)
		if err != nil {
			return err
		}
		if l.lost || clean || pass > 0 && len(met) == before {
			break
		}
	}
	for _, row := range met {
		l.take(row, 0)
	}
	l.note("%s does not answer in the order of time; its calls were sorted here", l.w.name(l))
	l.done = true
	return nil
}

// pass reads the pages of the list once into met. It is clean where the list
// was counted the same at its beginning and end, and as many rows came.
func (l *lane) pass(ctx context.Context, met map[string]*call.Log) (clean bool, err error) {
	came := map[string]bool{}
	clear(l.broken)
	for at, first := 0, -1; ; {
		r, err := l.cover(ctx, func() (int, int) { return fit(at, l.Max, l.Max) })
		if err != nil {
			return false, err
		}
		l.read += len(r.rows)
		before := len(came)
		for _, row := range r.rows {
			if row == nil {
				l.broken[len(l.broken)] = true
				continue
			}
			came[row.ID.Key], met[row.ID.Key] = true, row
		}
		if at == 0 {
			first = r.total
		}
		switch at = r.at + len(r.rows); {
		case r.end:
			return r.total >= 0 && r.total == first && r.total == len(came)+len(l.broken) || r.at == 0, nil
		case len(came) == before: // the upstream repeats its pages
			return false, nil
		case len(met) > l.w.scan:
			l.lost = true
			l.note("%s was read in the order it has, the first %d calls of it", l.w.name(l), len(met))
			return false, nil
		}
	}
}

func (l *lane) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}
