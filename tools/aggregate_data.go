package tools

import (
	"math"
	"slices"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// aggregateData is aggregated as data.
type aggregateData struct {
	Groups []groupData `json:"groups"`
	Totals totalsData  `json:"totals"`
	Other  *otherData  `json:"other,omitempty"`
	listing
}

type groupData struct {
	Key map[string]string `json:"key"`
	statsData
}

// totalsData are those of what was read alone where that is not everything.
type totalsData struct {
	statsData
	Partial bool `json:"partial,omitempty"`
}

type otherData struct {
	Groups int `json:"groups"`
	Calls  int `json:"calls"`
}

type statsData struct {
	figures
	Previous *figures `json:"previous,omitempty"`
	Change   *float64 `json:"change,omitempty" jsonschema_description:"Of the number of calls: 0.07 is 7 percent more."`
}

type figures struct {
	Calls        int      `json:"calls"`
	Evaluated    int      `json:"evaluated"`
	Successes    int      `json:"successes"`
	Failures     int      `json:"failures"`
	SuccessRate  *float64 `json:"success_rate,omitempty"`
	DurationMean *float64 `json:"duration_mean,omitempty"`
	DurationP50  *float64 `json:"duration_p50,omitempty"`
	DurationP95  *float64 `json:"duration_p95,omitempty"`
}

func figuresOf(s call.Stats) figures {
	f := figures{
		Calls: s.Calls, Evaluated: s.Evaluated, Successes: s.Successes, Failures: s.Evaluated - s.Successes,
		DurationMean: secondsOf(s.Mean), DurationP50: secondsOf(s.P50), DurationP95: secondsOf(s.P95),
	}
	if s.Evaluated > 0 {
		r := math.Round(1e4*float64(s.Successes)/float64(s.Evaluated)) / 1e4
		f.SuccessRate = &r
	}
	return f
}

func (a aggregated) stats(g call.Group) statsData {
	s := statsData{figures: figuresOf(g.Stats)}
	if a.previous {
		before := call.Stats{}
		if g.Previous != nil {
			before = *g.Previous
		}
		f := figuresOf(before)
		s.Previous = &f
		if before.Calls > 0 {
			c := math.Round(1e4*float64(g.Stats.Calls-before.Calls)/float64(before.Calls)) / 1e4
			s.Change = &c
		}
	}
	return s
}

func (a aggregated) data(budget int) any {
	out := aggregateData{Groups: []groupData{}, Totals: totalsData{a.stats(a.found.Total), !a.found.Coverage.Complete}}
	left := budget - 400 // the listing, the totals
	for _, g := range a.found.Groups {
		d := groupData{Key: map[string]string{}, statsData: a.stats(g)}
		for i, k := range g.Key {
			d.Key[nameOf(a.by[i])] = render.Clip(render.Clean(k), 200)
		}
		if left -= jsonTokens(d); left < 0 {
			break
		}
		out.Groups = append(out.Groups, d)
	}
	out.listing = a.q.listing(a.d, a.page(), len(out.Groups))
	total := a.found.Total.Stats.Calls
	out.Total = &total
	calls, groups := 0, a.found.OtherGroups
	if a.found.Others != nil {
		calls = a.found.Others.Stats.Calls
	}
	for _, g := range a.found.Groups[len(out.Groups):] {
		calls, groups = calls+g.Stats.Calls, groups+1
	}
	if groups > 0 {
		out.Other = &otherData{groups, calls}
	}
	out.Notes = slices.Compact(append(out.Notes, a.why...))
	return out
}
