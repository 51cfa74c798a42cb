package render

import (
	"cmp"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// A Timing is what the times of a transcript's turns say. Nil is not known.
type Timing struct {
	Answers    int            // caller's turns whose answer could be timed
	LatencyP50 *time.Duration // from the caller's end to the agent's next start
	LatencyP95 *time.Duration
	Silence    *time.Duration // the longest, from one turn's end to the next's start
	SilenceAt  *time.Duration // where it begins
	Overlaps   int            // turns that begin before another speaker's has ended
	FromStart  bool           // no end is known: all is from start to start, a silence is but a gap
}

// Measure computes the Timing of turns. Tool calls and system turns make no
// sound and are passed over. Where some turns have an end, those without one
// are not measured from.
func Measure(turns []call.Turn) Timing {
	var t Timing
	pauses := speechPauses(turns)
	if len(pauses) == 0 {
		return t
	}
	t.FromStart = !pauses[0].ended
	var answers []time.Duration
	for i := range pauses {
		p := &pauses[i]
		a, b := &turns[p.before], &turns[p.after]
		if p.length < 0 {
			if a.Role != b.Role {
				t.Overlaps++
			}
			continue
		}
		if t.Silence == nil || p.length > *t.Silence {
			t.Silence, t.SilenceAt = &p.length, &p.at
		}
		if a.Role == call.RoleCaller && b.Role == call.RoleAgent {
			answers = append(answers, p.length)
		}
	}
	slices.Sort(answers)
	t.Answers = len(answers)
	t.LatencyP50, t.LatencyP95 = quantile(answers, 0.5), quantile(answers, 0.95)
	return t
}

// String is the timing in words, "" where nothing is known.
func (t Timing) String() string {
	var s string
	switch {
	case t.Answers == 1:
		s = "agent answers once, after " + Seconds(*t.LatencyP50)
	case t.LatencyP50 != nil:
		s = "agent answers after " + Seconds(*t.LatencyP50) + " (median), " + Seconds(*t.LatencyP95) + " (p95)"
	}
	if t.Silence != nil {
		if s != "" {
			s += " · "
		}
		if t.FromStart {
			s += "longest gap "
		} else {
			s += "longest silence "
		}
		s += Seconds(*t.Silence) + " at " + At(*t.SilenceAt)
	}
	if t.FromStart && s != "" {
		s += " · from start to start"
	}
	return s
}

// A pause is what lies between two turns of speech that follow each other on the
// clock; its length is negative where they overlap.
type pause struct {
	before, after int // positions of the turns
	at, length    time.Duration
	ended         bool // at is an end, not a start
}

// speechPauses lists the pauses of a transcript along the clock, whatever the
// order of its list: those behind an end where any end is known, else those from
// start to start. Before a pause stands the turn that ends last. Where all turns
// have one time nothing is known.
func speechPauses(turns []call.Turn) []pause {
	spoken := onClock(turns)
	if len(spoken) < 2 || *turns[spoken[0]].Start == *turns[spoken[len(spoken)-1]].Start {
		return nil
	}
	var ended, started []pause
	last := -1 // the turn that ends last
	for k, i := range spoken {
		b := &turns[i]
		if k > 0 {
			a := &turns[spoken[k-1]]
			started = append(started, pause{before: spoken[k-1], after: i, at: *a.Start, length: *b.Start - *a.Start})
			if a.End != nil {
				end := *turns[last].End
				ended = append(ended, pause{before: last, after: i, at: end, length: *b.Start - end, ended: true})
			}
		}
		if b.End != nil && (last < 0 || *b.End >= *turns[last].End) {
			last = i
		}
	}
	if len(ended) > 0 {
		return ended
	}
	return started
}

// onClock lists the positions of the turns of speech in the order of their start.
func onClock(turns []call.Turn) (spoken []int) {
	for i := range turns {
		if t := &turns[i]; t.Role != call.RoleTool && t.Role != call.RoleSystem && t.Tool == nil && t.Start != nil {
			spoken = append(spoken, i)
		}
	}
	slices.SortStableFunc(spoken, func(a, b int) int { return cmp.Compare(*turns[a].Start, *turns[b].Start) })
	return spoken
}

// quantile interpolates linearly between the nearest of sorted, which is in
// ascending order; nil of nothing.
func quantile(sorted []time.Duration, q float64) *time.Duration {
	if len(sorted) == 0 {
		return nil
	}
	x := q * float64(len(sorted)-1)
	i := int(x)
	d := sorted[i]
	if i+1 < len(sorted) {
		d += time.Duration((x - float64(i)) * float64(sorted[i+1]-sorted[i]))
	}
	return &d
}
