package tools

import (
	"context"
	"crypto/rand"
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
	}, d, func(ctx context.Context, d Deps, in listArgs) (answer, error) {
		q, err := d.question(ctx, "list_call_logs", in.selection, in.paging)
		if err != nil {
			return nil, err
		}
		if in.Cursor == "" {
			q.query.Order, q.query.Count = call.Order(in.OrderBy), true
		} else if err := q.sameOrder(in.OrderBy); err != nil {
			return nil, err
		}
		asked := q.query
		asked.Need = call.NeedRow
		p, err := d.Calls.Find(ctx, asked)
		if err != nil {
			return nil, err
		}
		a := listed{d: d, q: q, page: p}
		if a.fence, err = render.NewShortFence(rand.Reader); err != nil {
			return nil, err
		}
		if len(p.Logs) == 0 && !q.paging && p.Coverage.Complete {
			a.why = d.whyNothing(ctx, q)
		}
		if missing := in.missing(d, p); missing != "" {
			a.page.Notes = append(a.page.Notes, missing)
		}
		return a, nil
	})
}

// listed is a page of calls, and where it is empty, why.
type listed struct {
	d     Deps
	q     question
	page  call.Page
	why   []string
	fence render.Fence
}

func (a listed) text(budget int) string {
	if len(a.page.Logs) == 0 {
		return a.nothing(budget)
	}
	for _, narrow := range []bool{false, true} {
		if s, ok := a.table(budget, narrow); ok {
			return s
		}
	}
	return fmt.Sprintf("%s; no row fits into %d tokens, raise max_tokens", a.counted(0), budget)
}

// narrowColumns are what a row is not without, where the budget is small.
const narrowColumns = 4

// table writes as many rows as there is room for; ok is false if that is none.
func (a listed) table(budget int, narrow bool) (s string, ok bool) {
	columns, rows, scope := a.columns(), a.rows(), a.q.scope(400)
	if narrow {
		columns, scope = columns[:narrowColumns], a.q.scope(80)
	}
	frame := func(shown int, common []render.Common, body string) string {
		lines := []string{
			fmt.Sprintf("%s, %s · %s", a.counted(shown), orderWords(a.q.query.Order), scope),
			"window " + a.q.windowWords(a.page) + " · " + a.q.coverageWords(a.page),
		}
		if !narrow {
			lines = append(lines, a.page.Notes...)
		}
		if len(common) > 0 {
			body = render.EveryRow(common) + "\n" + body
		}
		return strings.Join(append(lines, a.fence.Wrap(body), a.below(shown)), "\n")
	}
	_, common, _ := render.Table(columns, rows, 1<<30)
	common = slices.DeleteFunc(common, func(c render.Common) bool { // the first line says it already
		return a.q.pins(map[string]string{"outcome": "success", "topic": "topic", "ended": "call_ended_reason", "agent": "agent.agent_name"}[c.Head])
	})
	for left := budget; ; {
		around := frame(len(rows)-1, common, "") // a page that is cut has a cursor
		body, _, shown := render.Table(columns, rows, left-render.Tokens(around)-1)
		if shown == 0 {
			return "", false
		}
		s = frame(shown, common, body)
		if over := render.Tokens(s) - budget; over > 0 {
			left -= over
			continue
		}
		return s, true
	}
}

// counted says how many calls there are: 20 of 134 calls.
func (a listed) counted(shown int) string {
	s := fmt.Sprintf("%d calls", shown)
	if shown == 1 {
		s = "1 call"
	}
	if total := a.q.known(a.page); total == nil {
		s += " of an unknown total"
	} else if *total != shown || a.q.paging {
		s = fmt.Sprintf("%d of %s calls", shown, thousands(*total))
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
	return strings.Join(append(parts, fmt.Sprintf("one call: get_call_log id=%q, or resource %s", first, first.URI())), " · ")
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
		id := render.Value(l.ID.Key, 200)
		if len(a.d.Sources) > 1 {
			id = render.Value(l.ID.String(), 200)
		}
		row := []string{
			id, "", "", render.Outcome(l), render.Value(agentOf(l), 40), render.Value(l.EndedReason, 40), render.Value(l.Topic, 40),
			failedWords(l), "", render.Value(l.Opening(), 64),
		}
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
			names = append(names, brief(m.Name))
		}
	}
	return names
}

// failedWords lists the metrics that failed in a cell.
func failedWords(l *call.Log) string {
	names := failedMetrics(l)
	for i, name := range names {
		names[i] = render.Item(name, 100)
	}
	return render.Clip(strings.Join(names, ", "), 80)
}

// brief is a name as it is shown: clean, and no longer than names are.
func brief(s string) string { return render.Clip(render.Clean(s), 100) }

// nothing is the text of an empty page.
func (a listed) nothing(budget int) string {
	w := render.NewWriter(budget, 0)
	if a.q.paging {
		w.Line("No more calls: " + a.q.scope(400) + " · window " + a.q.windowWords(a.page) + ".")
	} else {
		w.Line("No calls match: " + a.q.scope(400) + " · window " + a.q.windowWords(a.page) + ".")
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
