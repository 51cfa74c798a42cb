package tools

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/render"
)

type describeArgs struct {
	Field string `json:"field,omitempty" jsonschema_description:"For the values of this field with counts, e.g. call_ended_reason, agent.agent_name, metric_evaluations.metric.name; metadata for its keys."`
	format
}

func describeFields(d Deps) server.ServerTool {
	return define[describeArgs, fieldsData](spec{
		name:        "describe_fields",
		title:       "Describe the filter fields",
		description: "What can I filter on? The fields of filters_v2 with types and operators; or, of one field, its most frequent values with counts.",
	}, d, func(ctx context.Context, d Deps, in describeArgs) (answer, error) {
		if in.Field == "" {
			return fieldList{d}, nil
		}
		return d.describe(ctx, in.Field)
	})
}

// fieldList is the whole vocabulary.
type fieldList struct{ d Deps }

func (a fieldList) text(budget int) string { return render.Fields(budget) }

// fieldsData is either form of the answer as data.
type fieldsData struct {
	Fields   []fieldData   `json:"fields,omitempty"`
	Field    string        `json:"field,omitempty" trust:"ours"`
	Values   []tally       `json:"values,omitzero"`
	Window   *windowData   `json:"window,omitempty"`
	Coverage *coverageData `json:"coverage,omitempty"`
	Notes    []string      `json:"notes"`
}

type fieldData struct {
	Name      string   `json:"name" trust:"ours"`
	Type      string   `json:"type" trust:"ours"`
	Operators []string `json:"operators" trust:"ours"`
	Doc       string   `json:"doc" trust:"ours"`
}

func (a fieldList) data(budget int) any {
	out := fieldsData{Notes: a.d.sampleNotes()}
	left := budget - 80
	for _, f := range call.Fields() {
		d := fieldData{Name: f.Name, Type: string(f.Kind), Doc: f.Doc}
		for _, op := range f.Can() {
			d.Operators = append(d.Operators, string(op))
		}
		if left -= jsonTokens(d); left < 0 {
			out.Notes = append(out.Notes, fmt.Sprintf("%d more fields: raise max_tokens", len(call.Fields())-len(out.Fields)))
			break
		}
		out.Fields = append(out.Fields, d)
	}
	return out
}

// mostValues is how many values of a field are counted one by one.
const mostValues = 500

// describe counts the values of one field.
func (d Deps) describe(ctx context.Context, name string) (answer, error) {
	if name == "metadata" || name == "dynamic_variables" {
		return d.keysOf(ctx, name)
	}
	f, ok := call.Fields().Field(name)
	if !ok {
		msg := fmt.Sprintf("No field %q.", clip(name))
		if near := filter.Closest(name, call.Fields().Names()); near != "" {
			msg += fmt.Sprintf(" Did you mean %s?", near)
		}
		return nil, &call.Error{Kind: call.Invalid, Msg: msg, Hint: "describe_fields without field lists them."}
	}
	switch {
	case f.Name == "transcript":
		return nil, &call.Error{Kind: call.Invalid, Msg: "transcript has as many values as there are calls.", Hint: "search_transcripts finds what was said."}
	case f.Kind == filter.Time:
		return nil, &call.Error{Kind: call.Invalid, Msg: f.Name + " has as many values as there are calls.", Hint: `aggregate_call_logs group_by=["day"] counts calls by their start.`}
	}
	by := []call.Grouping{{Field: f.Name}}
	found, err := call.Count(ctx, d.Calls, call.Aggregation{By: by, Limit: mostValues, Scan: d.Scan, Progress: d.progress})
	if err != nil {
		return nil, err
	}
	if lacks, newest, err := d.lacksDetail(ctx, by, 0, found); err != nil {
		return nil, err
	} else if lacks && onlyAbsent(found) {
		return d.sampled(ctx, f.Name, newest), nil
	} else if lacks {
		found.Notes = append(found.Notes, detailNote)
	}
	a := d.valuesOf(f.Name, call.Page{Window: found.Window, Coverage: found.Coverage, Notes: found.Notes, AsOf: found.AsOf})
	a.calls, a.more = found.Total.Stats.Calls, found.OtherGroups
	for _, g := range found.Groups {
		a.values = append(a.values, tally{g.Key[0], g.Stats.Calls})
	}
	return a, nil
}

func (d Deps) valuesOf(field string, p call.Page) fieldValues {
	return fieldValues{d: d, q: question{tool: "describe_fields", sources: d.Sources, today: d.today()}, page: p, field: field, values: []tally{}}
}

// keysOf counts the keys of a map over the newest calls.
func (d Deps) keysOf(ctx context.Context, which string) (answer, error) {
	newest, err := d.Calls.Find(ctx, call.Query{Limit: detailSample})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(newest.Logs, func(l *call.Log) bool { return !l.Detailed }) {
		return d.sampled(ctx, which, newest), nil
	}
	p, err := d.Calls.Find(ctx, call.Query{Limit: cmp.Or(d.Scan, call.DefaultScan), Scan: d.Scan})
	if err != nil {
		return nil, err
	}
	a := d.valuesOf(which, p)
	a.calls, a.newest, a.values = len(p.Logs), p.Next != nil, keyTallies(p.Logs, which)
	return a, nil
}

// sampled counts over the newest calls, whose records are read one by one: only
// they have what is asked for.
func (d Deps) sampled(ctx context.Context, field string, newest call.Page) fieldValues {
	logs, notes := d.detailed(ctx, newest)
	newest.Notes, newest.Coverage.Complete, newest.Coverage.Searched = notes, false, len(logs)
	a := d.valuesOf(field, newest)
	a.calls, a.newest, a.records = len(logs), true, true
	if a.values = tallies(logs, field); field == "metadata" || field == "dynamic_variables" {
		a.values = keyTallies(logs, field)
	}
	return a
}

// onlyAbsent holds where no call has a value.
func onlyAbsent(a call.Aggregate) bool {
	return !slices.ContainsFunc(a.Groups, func(g call.Group) bool { return g.Key[0] != call.Absent })
}

func keyTallies(logs []*call.Log, which string) []tally {
	out := []tally{}
	counts := map[string]int{}
	for _, l := range logs {
		values := l.Metadata
		if which == "dynamic_variables" {
			values = l.DynamicVariables
		}
		for k := range values {
			counts[k]++
		}
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, tally{which + "." + k, counts[k]})
	}
	return out
}

// fieldValues is the values of one field.
type fieldValues struct {
	d       Deps
	q       question
	page    call.Page
	field   string
	values  []tally // the most frequent first
	more    int     // values that are not among them
	calls   int     // that were counted
	newest  bool    // those were the newest alone
	records bool    // and the record of each was read
}

// So many values are shown as text, and of numbers, and of values that one call
// each has, so many: they are examples.
const (
	mostRows     = 50
	mostExamples = 10
)

func (a fieldValues) text(budget int) string {
	head := fmt.Sprintf("%s · %s in %s · %s · window %s", render.Clean(a.field), countOf(a.distinct(), "value"), a.over(), a.q.scope(200), a.q.windowWords(a.page))
	if !a.newest {
		head += " · " + a.q.coverageWords(a.page)
	}
	w := render.NewWriter(budget, 0)
	w.Line(head)
	for _, n := range a.page.Notes {
		w.Line(render.Clean(n))
	}
	rows := [][]string{}
	f, _ := call.Fields().Field(a.field)
	for i, t := range a.values {
		if i >= mostRows || i >= mostExamples && (t.Calls == 1 || f.Kind == filter.Number) {
			break
		}
		rows = append(rows, []string{render.Value(t.Value, 120), thousands(t.Calls)})
	}
	body, common, shown := render.Table([]string{"value", "calls"}, rows, w.Left()-40)
	if len(common) > 0 {
		w.Line(render.EveryRow(common))
	}
	if body != "" {
		w.Line(body)
	}
	if rest := len(a.values) - shown + a.more; rest > 0 {
		words := countOf(rest, "more value")
		if rest > 1 && shown < len(a.values) && a.values[shown].Calls == 1 {
			words += " of one call each"
		}
		w.Line(words)
	}
	if next := a.next(); next != "" {
		w.Line(next)
	}
	return w.String()
}

// next is where more is to be had of what only records of calls have.
func (a fieldValues) next() string {
	prefix, key, _ := strings.Cut(a.field, ".")
	switch {
	case a.records && key != "":
		return "a filter on it is exact; call-logs-mcp sync --details all lets every call be counted"
	case (prefix == "metadata" || prefix == "dynamic_variables") && key != "" && a.distinct() == 0:
		return fmt.Sprintf("no call has it; the keys there are: describe_fields field=%q", prefix)
	}
	return ""
}

// distinct is how many values there are.
func (a fieldValues) distinct() int {
	n := len(a.values) + a.more
	if slices.ContainsFunc(a.values, func(t tally) bool { return t.Value == call.Absent }) {
		n--
	}
	return n
}

// over says which calls were counted.
func (a fieldValues) over() string {
	n := countOf(a.calls, "call")
	switch {
	case a.records:
		return "the newest " + n + ", whose records were read one by one"
	case a.newest:
		return "the newest " + n
	}
	return n
}

func (a fieldValues) data(budget int) any {
	l := a.q.listing(a.d, a.page, a.calls)
	l.Coverage.CallsSearched = a.calls
	l.Coverage.Complete = l.Coverage.Complete && !a.newest
	out := fieldsData{Field: a.field, Values: []tally{}, Window: &l.Window, Coverage: &l.Coverage, Notes: l.Notes}
	left := budget - 200
	for _, t := range a.values {
		t.Value = render.Clip(render.Clean(t.Value), 200)
		if left -= jsonTokens(t); left < 0 {
			break
		}
		out.Values = append(out.Values, t)
	}
	if rest := len(a.values) - len(out.Values) + a.more; rest > 0 {
		out.Notes = append(out.Notes, countOf(rest, "more value"))
	}
	return out
}
