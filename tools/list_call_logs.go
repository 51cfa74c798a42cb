package tools

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

type listArgs struct {
	selection
	OrderBy string `json:"order_by,omitempty" jsonschema:"enum=newest,enum=oldest,enum=longest,enum=shortest,default=newest"`
	paging
	format
}

func listCallLogs(d Deps) server.ServerTool {
	return define[listArgs, listData](spec{
		name:  "list_call_logs",
		title: "List call logs",
		description: "Which calls? One line a call: id, start, length, agent, outcome, why it ended, topic, failed metrics, turns and the caller's first words, " +
			"with the total. For what was said use search_transcripts; for one call get_call_log.",
	}, d, func(ctx context.Context, in listArgs) (answer, error) {
		q, err := d.question("list_call_logs", in.selection, in.paging)
		if err != nil {
			return nil, err
		}
		if in.Cursor == "" {
			q.query.Order = call.Order(in.OrderBy)
		}
		p, err := d.Calls.Find(ctx, q.query)
		if err != nil {
			return nil, err
		}
		a := listed{d: d, q: q, page: p}
		if len(p.Logs) == 0 && !q.paging {
			a.why = d.whyNothing(ctx, q, p)
		}
		return a, nil
	})
}

// listed is a page of calls, and where it is empty, why.
type listed struct {
	d    Deps
	q    question
	page call.Page
	why  []string
}

func (a listed) text(budget int) string {
	if len(a.page.Logs) == 0 {
		return a.nothing(budget)
	}
	w := render.NewWriter(budget, 0)
	head := func(shown int) []string {
		return []string{
			fmt.Sprintf("%s, %s · %s", a.counted(shown), orderWords(a.q.query.Order), a.q.scope()),
			"window " + a.q.windowWords(a.page) + " · " + a.q.coverageWords(a.page),
		}
	}
	// What stands above and below the table is written last, since it says how
	// many rows the table had room for; it is measured with the longest first.
	above := strings.Join(head(len(a.page.Logs)), "\n") + a.notes()
	below := a.below(len(a.page.Logs) - 1)
	body, common, shown := render.Table(a.columns(), a.rows(), budget-render.Tokens(above)-render.Tokens(below)-80)
	common = slices.DeleteFunc(common, func(c render.Common) bool { // the first line says it already
		return a.q.pins(map[string]string{"outcome": "success", "topic": "topic", "ended": "call_ended_reason", "agent": "agent.agent_name"}[c.Head])
	})
	for _, line := range head(shown) {
		w.Line(line)
	}
	for _, n := range a.page.Notes {
		w.Line(render.Clean(n))
	}
	if len(common) > 0 {
		w.Line(render.EveryRow(common))
	}
	w.Line(body)
	w.Line(a.below(shown))
	return w.String()
}

func (a listed) notes() string { return strings.Join(a.page.Notes, "\n") }

// counted says how many calls there are: 20 of 134 calls.
func (a listed) counted(shown int) string {
	s := fmt.Sprintf("%d calls", shown)
	if total := a.q.known(a.page); total != nil && (*total != shown || a.q.paging) {
		s = fmt.Sprintf("%d of %s calls", shown, thousands(*total))
	} else if total == nil {
		s = fmt.Sprintf("%d calls of an unknown total", shown)
	}
	if s == "1 calls" {
		s = "1 call"
	}
	if a.q.paging {
		s += ", continued"
	}
	return s
}

// below says how to read on.
func (a listed) below(shown int) string {
	var parts []string
	first := a.page.Logs[0].ID
	if len(a.d.Sources) == 1 {
		parts = append(parts, "ids are "+first.Source+"/ID")
	}
	if cursor := a.q.cursor(a.page, a.q.next(a.page, shown)); cursor != "" {
		parts = append(parts, "more: cursor "+cursor)
	}
	return strings.Join(append(parts, fmt.Sprintf("one call: get_call_log id=%q", first)), " · ")
}

func (a listed) columns() []string {
	start := "start UTC"
	if day, ok := a.oneDay(); ok {
		start = "start UTC " + day
	}
	return []string{"id", start, "length", "outcome", "agent", "ended", "topic", "failed metrics", "turns", "caller first said"}
}

// oneDay is the day of all calls, if they share one.
func (a listed) oneDay() (string, bool) {
	var day string
	for _, l := range a.page.Logs {
		d := l.StartedAt.UTC().Format(time.DateOnly)
		if l.StartedAt.IsZero() || day != "" && d != day {
			return "", false
		}
		day = d
	}
	return day, true
}

func (a listed) rows() [][]string {
	layout := "01-02 15:04"
	if _, ok := a.oneDay(); ok {
		layout = "15:04"
	} else if !a.oneYear() {
		layout = "2006-01-02 15:04"
	}
	rows := make([][]string, len(a.page.Logs))
	for i, l := range a.page.Logs {
		id := l.ID.Key
		if len(a.d.Sources) > 1 {
			id = l.ID.String()
		}
		row := []string{id, "", "", render.Outcome(l), agentOf(l), l.EndedReason, render.Clip(l.Topic, 40), strings.Join(failedMetrics(l), ", "), "", render.Clip(render.Clean(opening(l)), 64)}
		if !l.StartedAt.IsZero() {
			row[1] = l.StartedAt.UTC().Format(layout)
		}
		if l.Duration != nil {
			row[2] = render.Length(*l.Duration)
		}
		if l.Turns != nil {
			row[8] = fmt.Sprint(len(l.Turns))
		}
		rows[i] = row
	}
	return rows
}

// oneYear holds where the window's year goes without saying.
func (a listed) oneYear() bool {
	year := a.d.Now().UTC().Year()
	for _, l := range a.page.Logs {
		if !l.StartedAt.IsZero() && l.StartedAt.UTC().Year() != year {
			return false
		}
	}
	return true
}

func agentOf(l *call.Log) string {
	if l.AgentName != "" {
		return l.AgentName
	}
	return l.AgentID
}

// failedMetrics names the metrics that failed.
func failedMetrics(l *call.Log) []string {
	names := []string{}
	for _, m := range l.Metrics {
		if m.Passed != nil && !*m.Passed {
			names = append(names, m.Name)
		}
	}
	return names
}

// opening is why the caller says he calls: his first turn of four words and
// more, since most begin with a greeting, or his first at all.
func opening(l *call.Log) string {
	first := ""
	for i := range l.Turns {
		if t := &l.Turns[i]; t.Role == call.RoleCaller && strings.TrimSpace(t.Text) != "" {
			if first == "" {
				first = t.Text
			}
			if strings.Count(strings.TrimSpace(t.Text), " ") >= 3 {
				return t.Text
			}
		}
	}
	return first
}

// nothing is the text of an empty page.
func (a listed) nothing(budget int) string {
	w := render.NewWriter(budget, 0)
	if a.q.paging {
		w.Line("No more calls: " + a.q.scope() + " · window " + a.q.windowWords(a.page) + ".")
	} else {
		w.Line("No calls match: " + a.q.scope() + " · window " + a.q.windowWords(a.page) + ".")
	}
	if !a.page.Coverage.Complete {
		w.Line(a.q.coverageWords(a.page))
	}
	for _, n := range append(a.page.Notes, a.why...) {
		w.Line(render.Clean(n))
	}
	if cursor := a.q.cursor(a.page, a.page.Next); cursor != "" {
		w.Line("more: cursor " + cursor)
	}
	return w.String()
}

// listData is listed as data.
type listData struct {
	Calls []callData `json:"calls"`
	listing
}

// callData is one call in a list.
type callData struct {
	ID            string     `json:"id"`
	CallID        string     `json:"call_id,omitempty"`
	Source        string     `json:"source"`
	StartedAt     *time.Time `json:"started_at,omitempty"`
	Duration      *float64   `json:"duration_seconds,omitempty"`
	AgentID       string     `json:"agent_id,omitempty"`
	AgentName     string     `json:"agent_name,omitempty"`
	ProjectID     string     `json:"project_id,omitempty"`
	Success       *bool      `json:"success,omitempty"`
	Status        string     `json:"status,omitempty"`
	Reviewed      *bool      `json:"reviewed,omitempty"`
	EndedReason   string     `json:"ended_reason,omitempty"`
	Topic         string     `json:"topic,omitempty"`
	DropoffPoint  string     `json:"dropoff_point,omitempty"`
	Customer      string     `json:"customer,omitempty"`
	Direction     string     `json:"direction,omitempty"`
	FailedMetrics []string   `json:"failed_metrics"`
	Turns         *int       `json:"turns,omitempty"`
	Opening       string     `json:"opening,omitempty"`
	Summary       string     `json:"summary,omitempty"`
	DashboardURL  string     `json:"dashboard_url,omitempty"`
}

func callDataOf(l *call.Log) callData {
	c := callData{
		ID: l.ID.String(), CallID: l.CallID, Source: l.ID.Source, AgentID: l.AgentID, AgentName: l.AgentName, ProjectID: l.ProjectID,
		Success: l.Success, Status: l.Status, Reviewed: l.Reviewed, EndedReason: l.EndedReason, Topic: render.Clean(l.Topic),
		DropoffPoint: render.Clean(l.DropoffPoint), Customer: l.Customer, Direction: l.Direction, FailedMetrics: failedMetrics(l),
		Opening: render.Clip(render.Clean(opening(l)), 160), Summary: render.Clip(render.Clean(l.Summary), 300), DashboardURL: l.DashboardURL,
	}
	if !l.StartedAt.IsZero() {
		t := l.StartedAt.UTC()
		c.StartedAt = &t
	}
	if l.Duration != nil {
		s := l.Duration.Seconds()
		c.Duration = &s
	}
	if l.Turns != nil {
		n := len(l.Turns)
		c.Turns = &n
	}
	return c
}

func (a listed) data(budget int) any {
	out := listData{Calls: []callData{}}
	left := budget - 400 // the listing around the rows, its cursor included
	for _, l := range a.page.Logs {
		c := callDataOf(l)
		if left -= jsonTokens(c); left < 0 {
			break
		}
		out.Calls = append(out.Calls, c)
	}
	out.listing = a.q.listing(a.d, a.page, len(out.Calls))
	out.Notes = append(out.Notes, a.why...)
	return out
}
