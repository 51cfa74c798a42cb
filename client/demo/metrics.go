package demo

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The metrics that every evaluated call gets, if they apply to it. Binary ones
// score 0 or 5, but Greeting 0 or 1, as both are seen in the wild.
const (
	metricInstruction   = "Instruction Follow"
	metricGreeting      = "Greeting"
	metricTool          = "Tool Success"
	metricLatency       = "Latency"
	metricSentiment     = "Customer Sentiment"
	metricTalk          = "Talk Ratio"
	metricHallucination = "Hallucination"
	metricCSAT          = "CSAT"
	metricInterruptions = "Interruptions"
)

// evaluate judges what p has played. Each explanation cites turns by MM:SS or
// by their words, and what it says holds of the transcript.
func (p *player) evaluate() []Metric {
	if len(p.turns) == 0 {
		return nil
	}
	ms := make([]Metric, 0, 9)
	ms = append(ms,
		p.binary(811, metricInstruction, 5, "every step of the script was followed; the agent ended with "+p.cite(p.final(RoleAgent))),
		p.binary(812, metricGreeting, 1, "opened with "+p.cite(p.initial(RoleAgent))))
	if m, ok := p.tools(); ok {
		ms = append(ms, m)
	}
	ms = append(ms, p.latency(), p.binary(817, metricHallucination, 5,
		"no claim without a source was found from "+clock(p.turns[0].Start)+" to "+clock(p.turns[len(p.turns)-1].Start)))
	last := p.final(RoleCaller)
	if last < 0 || p.course.reason == "voicemail" {
		return ms
	}
	feeling, at := p.feeling(last)
	ms = append(ms,
		Metric{ID: 815, Name: metricSentiment, Type: "enum", Value: feeling, Explanation: []string{"the caller sounded " + feeling + ": " + p.cite(at)}},
		p.talk(),
		Metric{ID: 818, Name: metricCSAT, Type: "numeric", Score: p.csat(feeling), Explanation: []string{"the caller's last words: " + p.cite(last)}},
		p.interruptions())
	return ms
}

// binary passes with the given score unless the course has found a fault.
func (p *player) binary(id int, name string, score float64, praise string) Metric {
	m := Metric{ID: id, Name: name, Type: "binary", Score: score}
	for _, f := range p.faults {
		if f.name == name {
			m.Score = 0
			m.Explanation = append(m.Explanation, f.text+": "+p.cite(f.turn))
		}
	}
	if m.Explanation == nil {
		m.Explanation = []string{praise}
	}
	return m
}

func (p *player) tools() (Metric, bool) {
	m := Metric{ID: 813, Name: metricTool, Type: "binary", Score: 5}
	var used []string
	for i, t := range p.turns {
		if t.Role != RoleResult {
			continue
		}
		at := clock(p.turns[i-1].Start)
		used = append(used, t.Tool.Name+" ("+at+")")
		if t.Tool.Failed {
			m.Score = 0
			words := strings.TrimSuffix(strings.TrimPrefix(t.Tool.Result, `{"error":"`), `"}`)
			m.Explanation = append(m.Explanation, fmt.Sprintf(`%s, called at %s, answered "%s"`, t.Tool.Name, at, words))
		}
	}
	if m.Explanation == nil {
		m.Explanation = []string{"all tools answered without an error: " + strings.Join(used, ", ")}
	}
	return m, len(used) > 0
}

// latency is the median time between a caller's end and the agent's answer.
func (p *player) latency() Metric {
	m := Metric{ID: 814, Name: metricLatency, Type: "continuous", Explanation: []string{"the agent never had to answer; it spoke first at " + clock(p.turns[0].Start)}}
	var waits []float64
	worst, at := -1.0, 0
	ended := -1.0
	for i, t := range p.turns {
		switch {
		case t.Role == RoleCaller:
			ended = t.End
		case t.Role == RoleAgent && ended >= 0:
			wait := max(0, t.Start-ended)
			waits = append(waits, wait)
			if wait > worst {
				worst, at = wait, i
			}
			ended = -1
		}
	}
	if len(waits) == 0 {
		return m
	}
	slices.Sort(waits)
	m.Score = math.Round(waits[len(waits)/2]*100) / 100
	m.Explanation[0] = fmt.Sprintf("the agent answered after %.1f s (median); slowest at %s, after %.1f s", m.Score, clock(p.turns[at].Start), worst)
	return m
}

func (p *player) feeling(last int) (string, int) {
	if p.tone.turn >= 0 {
		return p.tone.name, p.tone.turn
	}
	for i := last; p.course.ok && i >= max(0, last-2); i-- {
		if p.turns[i].Role == RoleCaller && pleased(p.turns[i].Content) {
			return "positive", i
		}
	}
	return "neutral", last
}

func pleased(words string) bool {
	words = strings.ToLower(words)
	return slices.ContainsFunc([]string{"thanks", "thank you", "great", "perfect", "lovely", "cheers"}, func(w string) bool { return strings.Contains(words, w) })
}

func (p *player) csat(feeling string) float64 {
	score := map[string]float64{"positive": 5, "neutral": 4, "negative": 2, "angry": 1}[feeling]
	if !p.course.ok {
		score = max(1, score-2)
	} else if p.rng.IntN(4) == 0 {
		score = max(1, score-1)
	}
	return score
}

// talk is the agent's share of the time that anybody spoke.
func (p *player) talk() Metric {
	var mine, all, longest float64
	at := p.initial(RoleAgent)
	for i, t := range p.turns {
		long := t.End - t.Start
		all += long
		if t.Role == RoleAgent {
			mine += long
			if long > longest {
				longest, at = long, i
			}
		}
	}
	share := math.Round(100*mine/all) / 100
	return Metric{ID: 816, Name: metricTalk, Type: "continuous", Score: share, Explanation: []string{
		fmt.Sprintf("the agent spoke %.0f of %.0f s of speech, longest at %s: %s", mine, all, clock(p.turns[at].Start), quote(p.turns[at].Content))}}
}

func (p *player) interruptions() Metric {
	m := Metric{ID: 819, Name: metricInterruptions, Type: "numeric"}
	var at []string
	for i := 1; i < len(p.turns); i++ {
		if p.turns[i].Role == RoleCaller && p.turns[i-1].Role == RoleAgent && p.turns[i].Start < p.turns[i-1].End {
			at = append(at, clock(p.turns[i].Start))
		}
	}
	m.Score = float64(len(at))
	m.Explanation = []string{"nobody spoke over the agent from " + clock(p.turns[0].Start) + " to " + clock(p.turns[len(p.turns)-1].Start)}
	if len(at) > 0 {
		m.Explanation[0] = "the caller spoke over the agent at " + strings.Join(at[:min(4, len(at))], ", ")
	}
	return m
}

func (p *player) initial(role string) int {
	return slices.IndexFunc(p.turns, func(t Turn) bool { return t.Role == role })
}

func (p *player) final(role string) int {
	for i := len(p.turns) - 1; i >= 0; i-- {
		if p.turns[i].Role == role {
			return i
		}
	}
	return -1
}

// cite names a turn: its first words, and when it began.
func (p *player) cite(i int) string {
	if i < 0 {
		return "(not in the transcript)"
	}
	t := p.turns[i]
	if t.Tool != nil {
		return "(" + clock(t.Start) + ")"
	}
	return quote(t.Content) + " (" + clock(t.Start) + ")"
}

// quote is the beginning of a text, at most nine words of it.
func quote(s string) string {
	n := 0
	for i, r := range s {
		if r == ' ' {
			if n++; n == 9 {
				s = s[:i]
				break
			}
		}
	}
	return `"` + strings.TrimRight(s, " .,;:") + `"`
}

// clock is a time of a call as transcripts show it: MM:SS, or H:MM:SS.
func clock(secs float64) string {
	s := int(secs)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return string([]byte{'0' + byte(s/600), '0' + byte(s/60%10), ':', '0' + byte(s%60/10), '0' + byte(s%10)})
}
