package tools

import (
	"math"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// searchData is searched as data.
type searchData struct {
	Matches []matchData `json:"matches"`
	listing
}

type matchData struct {
	ID          string        `json:"id"`
	URI         string        `json:"uri" trust:"ours"`
	StartedAt   *time.Time    `json:"started_at,omitempty"`
	Duration    *float64      `json:"duration_seconds,omitempty"`
	AgentName   string        `json:"agent_name,omitempty"`
	Success     *bool         `json:"success,omitempty"`
	EndedReason string        `json:"ended_reason,omitempty"`
	Topic       string        `json:"topic,omitempty"`
	Score       *float64      `json:"score,omitempty"`
	Hits        int           `json:"hits" jsonschema_description:"Turns that match."`
	Passages    []passageData `json:"passages"`
}

type passageData struct {
	lineData
	Before []lineData `json:"before"`
	After  []lineData `json:"after"`
}

// lineData is what was said in one turn.
type lineData struct {
	Turn int    `json:"turn"`
	At   string `json:"at,omitempty" trust:"ours"`
	Role string `json:"role" trust:"ours"`
	Text string `json:"text"`
}

func line(t *call.Turn, text *call.Text) lineData {
	out := lineData{Turn: t.Index, Role: string(t.Role), Text: snippet(render.Words(t, 0), text)}
	if t.Start != nil {
		out.At = render.At(*t.Start)
	}
	return out
}

func (a searched) data(budget int) any {
	out := searchData{Matches: []matchData{}}
	left := budget - jsonTokens(a.q.listing(a.d, a.page, max(0, len(a.page.Logs)-1))) - 10
	for i, l := range a.page.Logs {
		m := a.match(l, a.page.Hits[i])
		if i == 0 && jsonTokens(m) > left { // one call at least, by its best passage
			b := a
			b.context = 0
			hit := a.page.Hits[i]
			hit.Turns = hitOf(a.best(l, hit))
			m = b.match(l, hit)
			m.Hits = len(a.page.Hits[i].Turns)
		}
		if left -= jsonTokens(m); left < 0 {
			break
		}
		out.Matches = append(out.Matches, m)
	}
	out.listing = a.q.listing(a.d, a.page, len(out.Matches))
	out.Notes = append(out.Notes, a.why...)
	if len(out.Matches) == 0 && len(a.page.Logs) > 0 {
		out.Notes = append(out.Notes, "no call fits, raise max_tokens")
	}
	return out
}

// hitOf is the first of turns alone.
func hitOf(turns []int) []int { return turns[:min(1, len(turns))] }

func (a searched) match(l *call.Log, hit call.Hit) matchData {
	c := callDataOf(l)
	m := matchData{
		ID: c.ID, URI: c.URI, StartedAt: c.StartedAt, Duration: c.Duration, AgentName: c.AgentName, Success: c.Success,
		EndedReason: c.EndedReason, Topic: c.Topic, Hits: len(hit.Turns), Passages: []passageData{},
	}
	if a.q.query.Order == call.Relevance {
		score := math.Round(hit.Score*1000) / 1000
		m.Score = &score
	}
	best := a.best(l, hit)
	slices.Sort(best)
	for _, n := range best {
		p := passageData{lineData: line(&l.Turns[n-1], hit.Text), Before: []lineData{}, After: []lineData{}}
		for k := max(1, n-a.context); k < n; k++ {
			p.Before = append(p.Before, line(&l.Turns[k-1], hit.Text))
		}
		for k := n + 1; k <= min(len(l.Turns), n+a.context); k++ {
			p.After = append(p.After, line(&l.Turns[k-1], hit.Text))
		}
		m.Passages = append(m.Passages, p)
	}
	return m
}
