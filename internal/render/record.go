package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"call-logs-mcp/internal/call"
)

// Withheld says that what was said in a call is kept from who asks, and what it
// takes to read it, such as the scope transcripts:read.
func Withheld(needs string) string {
	return "the transcript is withheld: " + needs + " was not granted"
}

// Facts is Record of a call whose words are withheld, see Withheld.
func Facts(l *call.Log, budget int, needs string) string {
	why := Withheld(needs)
	return Record(l, budget-Tokens("\n"+why), false, Fence{}, nil) + "\n" + why
}

// Record writes all that is known of one call in budget tokens: what is short
// first, then as much of the transcript as there is room for. What is left out
// of the facts is counted; again words the call that reads the turns of a span.
func Record(l *call.Log, budget int, transcript bool, fence Fence, again func(Span) string) string {
	w := NewWriter(budget, 0)
	for _, line := range facts(l) {
		w.Line(line)
	}
	for _, n := range l.Notes {
		w.Line(Clean(n))
	}
	// The facts may take a third, so that the transcript has the rest. The worst
	// news comes first, lest it is what is cut.
	failed, rest := metricLines(l)
	lines := slices.Concat(failed, toolLines(l), keyedLines(l), rest, timingLines(l))
	room := w.Left()
	if transcript && len(l.Turns) > 0 {
		room = min(room, max(budget/3, budget/2-(budget-w.Left())))
	}
	long := NewWriter(room, 20)
	for i, line := range lines {
		if !long.Line(line) {
			left := fmt.Sprintf("%d more lines of facts", len(lines)-i)
			if len(lines)-i == 1 {
				left = "1 more line of facts"
			}
			long.Tail(left + ": raise max_tokens")
			break
		}
	}
	if s := long.String(); s != "" {
		w.Line(s)
	}
	switch {
	case !transcript:
	case len(l.Turns) == 0:
		w.Line("no transcript is given")
	default:
		excerpt(w, l, fence, again)
	}
	return w.String()
}

// excerpt writes the turns of l that matter into what room w has.
func excerpt(w *Writer, l *call.Log, fence Fence, again func(Span) string) {
	all := Span{FromTurn: len(l.Turns), ToTurn: len(l.Turns)}
	head := func(shown int) string {
		return fmt.Sprintf("transcript, %d turns%s, %d shown; %s", len(l.Turns), Speakers(l.Turns), shown, fence.Note())
	}
	room := w.Left() - Tokens(head(len(l.Turns))) - Tokens(fence.Wrap("")) - Tokens(leftOut([]Span{all, all}, again)) - 8
	if room < MinBudget {
		all.FromTurn = 1
		w.Line(fmt.Sprintf("transcript, %d turns: %s", len(l.Turns), again(all)))
		return
	}
	s := Choose(l.Turns, Excerpt{Budget: room, Cited: Cited(l)})
	w.Line(head(len(s.Kept)))
	w.Line(fence.Wrap(Lines(l.Turns, s)))
	if len(s.Omitted) > 0 {
		w.Line(leftOut(s.Omitted, again))
	}
}

// leftOut says what was left out: the call that shows the longest run of turns, and
// how many others there are, each of which has a line among the turns.
func leftOut(gaps []Span, again func(Span) string) string {
	length := func(s Span) int { return s.ToTurn - s.FromTurn + 1 }
	most := slices.MaxFunc(gaps, func(a, b Span) int { return length(a) - length(b) })
	s := "left out: " + again(most)
	others := -length(most)
	for _, g := range gaps {
		others += length(g)
	}
	switch n := len(gaps) - 1; {
	case n > 1:
		s += fmt.Sprintf(", and %d other gaps, %d turns", n, others)
	case n == 1 && others == 1:
		s += ", and 1 turn elsewhere"
	case n == 1:
		s += fmt.Sprintf(", and %d turns elsewhere", others)
	}
	return s
}

// Speakers says where a transcript does not tell who speaks, and is "" elsewhere.
func Speakers(turns []call.Turn) string {
	unnamed := false
	for i := range turns {
		switch turns[i].Role {
		case call.RoleAgent, call.RoleCaller:
			return ""
		case call.RoleSpeaker:
			unnamed = true
		}
	}
	if !unnamed {
		return ""
	}
	return " (the source does not say who speaks)"
}

// facts are the lines about the call as a whole.
func facts(l *call.Log) (lines []string) {
	id := Value(l.ID.String(), 200)
	if l.CallID != "" && l.CallID != l.ID.Key {
		id += " (" + Item(l.CallID, 100) + ")"
	}
	id += " · " + l.ID.URI()
	if l.DashboardURL != "" {
		id += " · " + Address(l.DashboardURL)
	}
	lines = append(lines, id)
	start, length := "start unknown", ""
	if !l.StartedAt.IsZero() {
		start = l.StartedAt.UTC().Format("2006-01-02 15:04:05") + " UTC"
	}
	if l.Duration != nil {
		length = Length(*l.Duration)
	}
	agent := Item(l.AgentName, 100)
	if l.AgentID != "" {
		agent = strings.TrimSpace(agent + " (" + Item(l.AgentID, 100) + ")")
	}
	lines = append(lines, joined(start, length, agent, label("caller", Value(l.Customer, 100)), Item(l.Direction, 100), Item(l.CallType, 100)))
	verdict := Outcome(l)
	if l.Success == nil && l.Status != "" {
		verdict += ", status " + Item(l.Status, 100)
	}
	if l.Reviewed != nil {
		verdict += map[bool]string{true: " (reviewed by a person)", false: " (not reviewed)"}[*l.Reviewed]
	}
	drop := ""
	if l.DropoffPoint != "" {
		drop = `dropoff "` + inQuotes.Replace(Clip(Clean(l.DropoffPoint), 200)) + `"`
	}
	lines = append(lines, joined("outcome "+verdict, label("ended", Item(l.EndedReason, 100)), label("topic", Item(l.Topic, 100)), drop, label("sentiment", Item(l.Sentiment, 100))))
	for _, p := range []struct{ name, text string }{{"error", l.ErrorMessage}, {"feedback", l.Feedback}, {"summary", l.Summary}, {"evaluation", l.Evaluation}} {
		switch paragraphs := Paragraphs(p.text, 500); {
		case p.text == "":
		case p.name == "summary" && strings.Contains(paragraphs, "\n"):
			lines = append(lines, p.name+":\n  > "+strings.ReplaceAll(paragraphs, "\n", "\n  > "))
		default:
			lines = append(lines, p.name+": "+Value(p.text, 500))
		}
	}
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}

// joined puts the parts that are there on one line.
func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = Clean(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " · ")
}

func label(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " " + value
}

// metricLines are the verdicts: those that failed, and the others.
func metricLines(l *call.Log) (failed, others []string) {
	for _, m := range l.Metrics {
		sign := "·"
		switch {
		case m.Passed == nil:
		case *m.Passed:
			sign = "✓"
		default:
			sign = "✗"
		}
		line := "  " + sign + " " + Item(m.Name, 60) + scoreWords(m)
		switch why := Value(strings.Join(m.Explanation, "; "), 300); {
		case why != "" && sign != "✓":
			line += ": " + why
		case why == "" && sign == "✗" && l.Detailed:
			line += ": no explanation recorded"
		}
		if sign == "✗" {
			failed = append(failed, line)
		} else {
			others = append(others, line)
		}
	}
	if len(failed) > 0 {
		failed = slices.Insert(failed, 0, "metrics that failed")
	}
	if len(others) > 0 {
		others = slices.Insert(others, 0, "metrics")
	}
	return failed, others
}

func scoreWords(m call.Metric) string {
	switch {
	case m.Score != nil && m.Type == "binary" && *m.Score != 1:
		return " " + strconv.FormatFloat(*m.Score, 'f', -1, 64) + "/5"
	case m.Score != nil:
		return " " + strconv.FormatFloat(*m.Score, 'f', -1, 64)
	case m.Value != "":
		return " " + Item(m.Value, 60)
	}
	return ""
}

// toolLines sum up the tool calls: where each failed or may have, those without
// an answer, and the others by name. What went in and came out is speech as any
// other, and stands in the fence.
func toolLines(l *call.Log) (lines []string) {
	places, counts := map[call.ToolOutcome][]string{}, map[string]int{}
	for i := range l.Turns {
		t := &l.Turns[i]
		if t.Tool == nil {
			continue
		}
		name, outcome := Item(t.Tool.Name, 60), t.Tool.Outcome()
		where := name
		if outcome != call.ToolWorked {
			where = fmt.Sprintf("%s at turn %d", name, t.Index)
			if t.Start != nil {
				where += " (" + At(*t.Start) + ")"
			}
		} else if counts[name]++; counts[name] > 1 {
			continue
		}
		places[outcome] = append(places[outcome], where)
	}
	for i, name := range places[call.ToolWorked] {
		if counts[name] > 1 {
			places[call.ToolWorked][i] = fmt.Sprintf("%s ×%d", name, counts[name])
		}
	}
	for _, p := range []struct {
		outcome call.ToolOutcome
		words   string
	}{
		{call.ToolFailed, "tools that answered an error"}, {call.ToolDoubtful, "tools that may have failed, by their words"},
		{call.ToolUnanswered, "tools without an answer"}, {call.ToolWorked, "tools that worked"},
	} {
		if names := places[p.outcome]; len(names) > 0 {
			lines = append(lines, p.words+": "+strings.Join(names, ", "))
		}
	}
	return lines
}

func timingLines(l *call.Log) []string {
	var lines []string
	if s := Measure(l.Turns).String(); s != "" {
		lines = append(lines, "timing: "+s)
	}
	return lines
}

// keyedLines are the metadata, the agent's variables, measured latencies and cost.
func keyedLines(l *call.Log) []string {
	var lines []string
	for _, m := range []struct {
		name   string
		values map[string]any
	}{{"metadata", l.Metadata}, {"variables", l.DynamicVariables}} {
		if s := pairs(m.values); s != "" {
			lines = append(lines, m.name+": "+s)
		}
	}
	var stages []string
	for _, stage := range slices.Sorted(maps.Keys(l.Latency)) {
		if p := l.Latency[stage]; p.P50 != nil {
			s := Item(stage, 60) + " " + Seconds(*p.P50)
			if p.P95 != nil {
				s += " (p95 " + Seconds(*p.P95) + ")"
			}
			stages = append(stages, s)
		}
	}
	if len(stages) > 0 {
		lines = append(lines, "latency as the provider measured it: "+strings.Join(stages, ", "))
	}
	cost := ""
	if l.Cost != nil {
		cost = "cost " + strconv.FormatFloat(*l.Cost, 'f', -1, 64)
	}
	s := joined(cost, label("trace", Value(l.TraceID, 100)))
	if r := recording(l); r != "" {
		s = strings.TrimPrefix(s+" · "+r, " · ")
	}
	if s != "" {
		lines = append(lines, s)
	}
	return lines
}

// Address is an upstream's URL as it can be opened, if it is a plain https
// address. Speech is disarmed, since callers may say what makes a client fetch
// something; this field no caller writes, and disarmed it would be of no use.
func Address(s string) string {
	plain := strings.HasPrefix(s, "https://") && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>[]()`, r) })
	if plain {
		return s
	}
	return Clip(Clean(s), 300)
}

func pairs(values map[string]any) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(values)) {
		out = append(out, Item(k, 40)+"="+pairValue(values[k]))
	}
	return strings.Join(out, ", ")
}

// pairValue is a value of metadata. JSON that is not a text tells by itself where
// it ends, unless it is cut.
func pairValue(v any) string {
	s := Clean(ValueText(v))
	if _, text := v.(string); !text && Clip(s, 80) == s {
		return s
	}
	return Item(s, 80)
}

// Outcome is how the call was judged: ok, failed or not judged.
func Outcome(l *call.Log) string {
	switch {
	case l.Success == nil:
		return "not judged"
	case *l.Success:
		return "ok"
	}
	return "failed"
}

// ValueText is a value of decoded JSON as text: a string as it is, all else as
// JSON.
func ValueText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
