package demo

import (
	"fmt"
	"math"

	"call-logs-mcp/internal/filter"
)

// schema is what filters_v2 may name upstream: fewer fields and operators than
// the language of this server has.
func schema() filter.Schema {
	words := []filter.Op{filter.Eq, filter.Neq, filter.Contains, filter.StartsWith, filter.In}
	reason := []filter.Op{filter.Eq, filter.Neq, filter.Contains, filter.In}
	maybe := append(reason[:4:4], filter.IsNull)
	number := []filter.Op{filter.Eq, filter.Gt, filter.Gte, filter.Lt, filter.Lte}
	listed := append(number[:5:5], filter.In)
	keyed := append(words[:5:5], filter.EndsWith, filter.IsNull, filter.Regex)
	return filter.Schema{
		{Name: "id", Kind: filter.Number, Ops: listed},
		{Name: "call_id", Kind: filter.Text, Ops: words},
		{Name: "success", Kind: filter.Bool},
		{Name: "duration", Kind: filter.Number, Ops: number},
		{Name: "customer_number", Kind: filter.Text, Ops: words},
		{Name: "call_ended_reason", Kind: filter.Text, Ops: reason},
		{Name: "dropoff_point", Kind: filter.Text, Ops: maybe},
		{Name: "topic", Kind: filter.Text, Ops: maybe},
		{Name: "timestamp", Kind: filter.Time, Ops: number},
		{Name: "created_at", Kind: filter.Time, Ops: number},
		{Name: "is_reviewed", Kind: filter.Bool, Ops: []filter.Op{filter.Eq}},
		{Name: "agent.id", Kind: filter.Number},
		{Name: "agent.agent_name", Kind: filter.Text},
		{Name: "metadata.KEY", Kind: filter.Text, Ops: keyed},
		{Name: "metric_evaluations.metric.id", Kind: filter.Number, Relation: relation},
		{Name: "metric_evaluations.metric.name", Kind: filter.Text, Relation: relation},
		{Name: "metric_evaluations.value", Kind: filter.Dynamic, Relation: relation},
	}
}

const relation = "metric_evaluations"

// Values lets filters read the call.
func (r *record) Values(field string) []any {
	switch field {
	case "id":
		return []any{float64(r.ID)}
	case "call_id":
		return present(r.CallID)
	case "success":
		if r.Success == nil {
			return nil
		}
		return []any{*r.Success}
	case "duration":
		return []any{math.Floor(r.Seconds)} // as the answers' MM:SS has it
	case "customer_number":
		return present(r.Customer)
	case "call_ended_reason":
		return present(r.EndedReason)
	case "dropoff_point":
		return present(r.DropoffPoint)
	case "topic":
		return present(r.Topic)
	case "timestamp":
		return []any{r.Timestamp}
	case "created_at":
		return []any{r.CreatedAt}
	case "is_reviewed":
		return []any{r.Reviewed}
	case "agent.id":
		return []any{float64(r.Agent)}
	case "agent.agent_name":
		return present(r.AgentName)
	}
	if len(field) > len("metadata.") && field[:len("metadata.")] == "metadata." {
		if v, ok := r.Metadata[field[len("metadata."):]]; ok && v != nil {
			return []any{fmt.Sprint(v)}
		}
		return nil
	}
	var out []any
	for _, m := range r.Metrics {
		out = append(out, evaluation(m).Values(field)...)
	}
	return out
}

// Rows returns the evaluations, for same_row.
func (r *record) Rows(name string) []filter.Row {
	if name != relation {
		return nil
	}
	rows := make([]filter.Row, len(r.Metrics))
	for i, m := range r.Metrics {
		rows[i] = evaluation(m)
	}
	return rows
}

// An evaluation is a Metric as filters read it.
type evaluation Metric

// Values is what a filter compares.
func (m evaluation) Values(field string) []any {
	switch {
	case field == "metric_evaluations.metric.id":
		return []any{float64(m.ID)}
	case field == "metric_evaluations.metric.name":
		return []any{m.Name}
	case field == "metric_evaluations.value" && m.Type == "enum":
		return []any{m.Value}
	case field == "metric_evaluations.value":
		return []any{m.Score}
	}
	return nil
}

// Rows is none: an evaluation has no rows of its own.
func (m evaluation) Rows(string) []filter.Row { return nil }

// present is a text as a value, none if it is empty.
func present(s string) []any {
	if s == "" {
		return nil
	}
	return []any{s}
}
