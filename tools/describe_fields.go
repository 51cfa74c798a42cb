package tools

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

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
		description: "What can I filter on? The fields of filters_v2 with types and operators; or, of one field, its most frequent values.",
	}, d, func(ctx context.Context, in describeArgs) (answer, error) {
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
	Field    string        `json:"field,omitempty"`
	Values   []tally       `json:"values,omitzero"`
	Window   *windowData   `json:"window,omitempty"`
	Coverage *coverageData `json:"coverage,omitempty"`
	Notes    []string      `json:"notes"`
}

type fieldData struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Operators []string `json:"operators"`
	Doc       string   `json:"doc"`
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

// describe counts the values of one field over the newest calls.
func (d Deps) describe(ctx context.Context, name string) (answer, error) {
	keys := name == "metadata" || name == "dynamic_variables"
	f, ok := call.Fields().Field(name)
	if !ok && !keys {
		msg := fmt.Sprintf("No field %q.", clip(name))
		if near := filter.Closest(name, call.Fields().Names()); near != "" {
			msg += fmt.Sprintf(" Did you mean %s?", near)
		}
		return nil, &call.Error{Kind: call.Invalid, Msg: msg, Hint: "describe_fields without field lists them."}
	}
	if name == "transcript" {
		return nil, &call.Error{Kind: call.Invalid, Msg: "transcript has as many values as there are calls.", Hint: "search_transcripts finds what was said."}
	}
	q := question{sources: d.Sources, query: call.Query{Limit: max(d.Scan, call.DefaultScan), Scan: d.Scan}}
	a := fieldValues{d: d, q: q, field: name}
	if !keys {
		a.field = f.Name
	}
	prefix, _, _ := strings.Cut(a.field, ".")
	inDetail := prefix == "metadata" || prefix == "dynamic_variables"
	if inDetail {
		few, err := d.Calls.Find(ctx, call.Query{Limit: detailSample})
		if err != nil {
			return nil, err
		}
		a.sampled = slices.ContainsFunc(few.Logs, func(l *call.Log) bool { return !l.Detailed })
		a.page = few
	}
	var err error
	if a.sampled {
		a.page.Logs, a.page.Notes = d.detailed(ctx, a.page)
	} else if a.page, err = d.Calls.Find(ctx, q.query); err != nil {
		return nil, err
	}
	if keys {
		a.values = keyTallies(a.page.Logs, name)
	} else {
		a.values = tallies(a.page.Logs, a.field)
	}
	return a, nil
}

// detailSample is how many records are read one by one, where only the record
// of one call has what is asked for.
const detailSample = 20

// detailed returns the calls of p with their details, but for those that cannot
// be read, of which a note tells.
func (d Deps) detailed(ctx context.Context, p call.Page) ([]*call.Log, []string) {
	logs := slices.Clone(p.Logs)
	var wait sync.WaitGroup
	for i, l := range logs {
		wait.Go(func() {
			full, err := d.Calls.Get(ctx, l.ID)
			if err != nil {
				full = nil
			}
			logs[i] = full
		})
	}
	wait.Wait()
	read := slices.DeleteFunc(logs, func(l *call.Log) bool { return l == nil })
	notes := p.Notes
	if n := len(p.Logs) - len(read); n > 0 {
		notes = append(notes, fmt.Sprintf("%d records could not be read", n))
	}
	return read, notes
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
	values  []tally
	sampled bool // only details of the newest few were read
}

func (a fieldValues) text(budget int) string {
	distinct := len(a.values)
	if slices.ContainsFunc(a.values, func(t tally) bool { return t.Value == absent }) {
		distinct--
	}
	head := fmt.Sprintf("%s · %d values over %s · %s · window %s", render.Clean(a.field), distinct, a.over(), a.q.scope(200), a.q.windowWords(a.page))
	w := render.NewWriter(budget, 0)
	w.Line(head)
	for _, n := range a.page.Notes {
		w.Line(render.Clean(n))
	}
	rows := make([][]string, 0, len(a.values))
	for _, t := range a.values {
		rows = append(rows, []string{render.Clip(render.Clean(t.Value), 120), thousands(t.Calls)})
	}
	const most = 50
	body, common, shown := render.Table([]string{"value", "calls"}, rows[:min(len(rows), most)], w.Left()-40)
	if len(common) > 0 {
		w.Line(render.EveryRow(common))
	}
	w.Line(body)
	if shown < len(rows) {
		w.Line(fmt.Sprintf("%d more values", len(rows)-shown))
	}
	return w.String()
}

func (a fieldValues) over() string {
	n := thousands(len(a.page.Logs))
	switch {
	case a.sampled:
		return "the newest " + n + " calls, whose records were read one by one"
	case a.page.Next != nil:
		return "the newest " + n + " calls"
	}
	return "all " + n + " calls"
}

func (a fieldValues) data(budget int) any {
	l := a.q.listing(a.d, a.page, len(a.page.Logs))
	l.Coverage.CallsSearched = len(a.page.Logs)
	l.Coverage.Complete = !a.sampled && a.page.Next == nil
	out := fieldsData{Field: a.field, Values: []tally{}, Window: &l.Window, Coverage: &l.Coverage, Notes: l.Notes}
	left := budget - 200
	for _, t := range a.values {
		t.Value = render.Clip(render.Clean(t.Value), 200)
		if left -= jsonTokens(t); left < 0 {
			break
		}
		out.Values = append(out.Values, t)
	}
	return out
}
