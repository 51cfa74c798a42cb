package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/render"
)

type aggregateArgs struct {
	GroupBy   []string `json:"group_by,omitempty" jsonschema_description:"At most two of: any field of describe_fields, metric, hour, day, week, month."`
	CompareTo string   `json:"compare_to,omitempty" jsonschema:"enum=previous" jsonschema_description:"Also the window of the same length just before."`
	Limit     int      `json:"limit,omitempty" jsonschema:"minimum=1,maximum=200,default=20"`
	TimeZone  string   `json:"time_zone,omitempty" jsonschema_description:"Of hours, days and dates, e.g. Europe/Berlin; default UTC."`
	selection
	format
}

func aggregateCallLogs(d Deps) server.ServerTool {
	return define[aggregateArgs, aggregateData](spec{
		name:  "aggregate_call_logs",
		title: "Count call logs",
		description: "How many, how often, since when? Calls, success rate and lengths by group, with totals and the change against the window before. " +
			"Without group_by the totals alone.",
	}, d, func(ctx context.Context, d Deps, in aggregateArgs) (answer, error) {
		asked, err := in.aggregation(&d)
		if err != nil {
			return nil, err
		}
		q, err := d.question(ctx, "aggregate_call_logs", in.selection, paging{})
		if err != nil {
			return nil, err
		}
		asked.Where = q.query.Where
		if from, to, _ := filter.Bounds(asked.Where, "timestamp"); asked.Previous && !from.IsZero() && to.IsZero() {
			asked.Where = filter.All(asked.Where, filter.Within("timestamp", time.Time{}, d.Now().UTC())) // a source of files has no end of its own
		}
		out, err := call.Count(ctx, d.Calls, asked)
		if err != nil {
			return nil, err
		}
		for i := range asked.By {
			lacks, _, err := d.lacksDetail(ctx, asked.By, i, out)
			if err != nil {
				return nil, err
			}
			if lacks {
				out.Notes = append(out.Notes, detailNote)
				break
			}
		}
		a := aggregated{d: d, q: q, by: asked.By, limit: cmp.Or(in.Limit, 20), previous: asked.Previous && out.Before != nil, found: out}
		if out.Total.Stats.Calls == 0 && out.Coverage.Complete {
			a.why = d.whyNothing(ctx, q)
		}
		return a, nil
	})
}

// aggregation reads the arguments that are not the selection. The time zone
// holds for the times of the selection too, so it is set in d.
func (in aggregateArgs) aggregation(d *Deps) (call.Aggregation, error) {
	a := call.Aggregation{Previous: in.CompareTo != "", Limit: in.Limit, Scan: d.Scan, Progress: d.progress}
	if in.TimeZone != "" {
		zone, err := time.LoadLocation(in.TimeZone)
		if err != nil || in.TimeZone == "Local" {
			return a, &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("No time zone %q.", clip(in.TimeZone)), Hint: "Zones are named as Europe/Berlin, America/New_York or UTC."}
		}
		d.Zone = zone
	}
	a.Zone = d.Zone
	if len(in.GroupBy) > 2 {
		return a, &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("group_by takes at most two levels, got %d.", len(in.GroupBy)), Hint: "Use a filter for the third."}
	}
	for _, name := range in.GroupBy {
		g, err := grouping(name)
		if err != nil {
			return a, err
		}
		a.By = append(a.By, g)
	}
	return a, nil
}

func grouping(name string) (call.Grouping, error) {
	switch name {
	case "hour", "day", "week", "month":
		return call.Grouping{Unit: call.Unit(name)}, nil
	case "metric":
		name = "metric_evaluations.metric.name"
	case "date":
		return call.Grouping{Unit: call.Day}, nil
	}
	f, ok := call.Fields().Field(name)
	if !ok {
		names := append([]string{"metric", "hour", "day", "week", "month"}, call.Fields().Names()...)
		e := &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("group_by: no field %q.", clip(name)), Hint: "It takes hour, day, week, month, metric, and the fields of describe_fields."}
		if near := filter.Closest(name, names); near != "" {
			e.Hint = "Did you mean " + near + "? " + e.Hint
		}
		return call.Grouping{}, e
	}
	if f.Kind == filter.Time || f.Name == "transcript" {
		return call.Grouping{}, &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("group_by: %s has as many values as there are calls.", f.Name), Hint: "For times use hour, day, week or month."}
	}
	return call.Grouping{Field: f.Name}, nil
}

// aggregated is counts by group.
type aggregated struct {
	d        Deps
	q        question
	by       []call.Grouping
	limit    int
	previous bool
	found    call.Aggregate
	why      []string // where there is nothing to count
}

// page is what the heads of all answers are written from.
func (a aggregated) page() call.Page {
	return call.Page{Window: a.found.Window, Coverage: a.found.Coverage, Notes: a.found.Notes, AsOf: a.found.AsOf}
}

func (a aggregated) text(budget int) string {
	w := render.NewWriter(budget, 0)
	head := []string{"calls " + a.byWords(), a.q.scope(200), "window " + a.q.windowWords(a.page())}
	if b := a.found.Before; a.previous && b != nil {
		head = append(head, "against "+minute(b.From, 0)+" → "+minute(b.To, time.Minute-1))
	}
	w.Line(strings.Join(append(head, a.q.coverageWords(a.page())), " · "))
	for _, n := range slices.Concat(a.found.Notes, a.why) {
		w.Line(render.Clean(n))
	}
	rows := [][]string{}
	for _, g := range a.found.Groups {
		rows = append(rows, a.row(g, keyWords(g.Key)))
	}
	rest := a.othersWords(len(rows))
	rows = append(rows, a.row(a.found.Total, a.totalWords()))
	body, common, shown := render.Table(a.columns(), rows, w.Left()-render.Tokens(rest)-60)
	if shown < len(rows) { // the totals are worth more than the last groups
		body, common, shown = render.Table(a.columns(), append(rows[:max(0, shown-1):max(0, shown-1)], rows[len(rows)-1]), w.Left()-render.Tokens(rest)-60)
		rest = a.othersWords(shown - 1)
	}
	if len(common) > 0 {
		w.Line(render.EveryRow(common))
	}
	w.Line(body)
	if rest != "" {
		w.Line(rest)
	}
	return w.String()
}

// keyWords is the key of a group in a cell.
func keyWords(key []string) string {
	words := make([]string, len(key))
	for i, k := range key {
		words[i] = render.Value(k, 80)
	}
	return strings.Join(words, " · ")
}

func (a aggregated) byWords() string {
	if len(a.by) == 0 {
		return "in all"
	}
	names := make([]string, len(a.by))
	for i, g := range a.by {
		names[i] = nameOf(g)
	}
	return "by " + strings.Join(names, ", ")
}

func nameOf(g call.Grouping) string {
	if g.Unit != "" {
		return string(g.Unit)
	}
	return g.Field
}

func (a aggregated) columns() []string {
	key := "group"
	if len(a.by) > 0 {
		key = strings.TrimPrefix(a.byWords(), "by ")
	}
	columns := []string{strings.ReplaceAll(key, ", ", " · "), "calls", "share", "success", "evaluated", "length mean", "p50", "p95"}
	if a.previous {
		columns = append(columns, "calls before", "change", "success before")
	}
	return columns
}

func (a aggregated) row(g call.Group, key string) []string {
	share := ""
	if total := a.found.Total.Stats.Calls; key != a.totalWords() && total > 0 {
		share = percent(g.Stats.Calls, total)
	}
	row := []string{key, thousands(g.Stats.Calls), share, rate(g.Stats), thousands(g.Stats.Evaluated), length(g.Stats.Mean), length(g.Stats.P50), length(g.Stats.P95)}
	if a.previous {
		before := call.Stats{}
		if g.Previous != nil {
			before = *g.Previous
		}
		row = append(row, thousands(before.Calls), changeWords(g.Stats.Calls, before.Calls), rate(before))
	}
	return row
}

// totalWords names the row of totals, which are of what was read alone.
func (a aggregated) totalWords() string {
	if a.found.Coverage.Complete {
		return "all"
	}
	return "all read"
}

func length(d *time.Duration) string {
	if d == nil {
		return ""
	}
	return render.Length(d.Round(time.Second))
}

func rate(s call.Stats) string {
	if s.Evaluated == 0 {
		return ""
	}
	return percent(s.Successes, s.Evaluated)
}

// percent is whole, but for small shares that are not nothing.
func percent(part, whole int) string {
	p := 100 * float64(part) / float64(whole)
	if part > 0 && p < 1 || part < whole && p > 99 {
		return fmt.Sprintf("%.1f %%", p)
	}
	return fmt.Sprintf("%.0f %%", p)
}

// changeWords says +7 %, −12 %, or from double on, ×4.0.
func changeWords(now, before int) string {
	switch {
	case before == now:
		return "="
	case before == 0:
		return "new"
	case now >= 2*before:
		return fmt.Sprintf("×%.1f", float64(now)/float64(before))
	case now < before:
		return fmt.Sprintf("−%.0f %%", 100*float64(before-now)/float64(before))
	}
	return fmt.Sprintf("+%.0f %%", 100*float64(now-before)/float64(before))
}

// othersWords says what the groups that are not shown hold.
func (a aggregated) othersWords(shown int) string {
	calls, groups := 0, a.found.OtherGroups
	if a.found.Others != nil {
		calls = a.found.Others.Stats.Calls
	}
	for _, g := range a.found.Groups[min(shown, len(a.found.Groups)):] {
		calls += g.Stats.Calls
		groups++
	}
	if groups == 0 {
		return ""
	}
	holds := "hold"
	if groups == 1 {
		holds = "holds"
	}
	return fmt.Sprintf("%s %s %s (limit=%d)", countOf(groups, "more group"), holds, countOf(calls, "call"), a.limit)
}
