package call

import (
	"encoding/json"
	"strings"
	"time"

	"call-logs-mcp/internal/filter"
)

// Evaluations is the relation of a call's metrics.
const Evaluations = "metric_evaluations"

// Fields is the vocabulary of Query.Where: Cekura's, extended with what the
// other providers have. A field is a row here and a case in Values.
func Fields() filter.Schema { return fields }

var fields = filter.Schema{
	{Name: "id", Kind: filter.Dynamic, Doc: "the key of the call at its source", Example: "48213"},
	{Name: "call_id", Kind: filter.Text, Doc: "the provider's other identifier of the call", Example: `"call_9f31c2"`},
	{Name: "source", Kind: filter.Text, Ops: []filter.Op{filter.Eq, filter.Neq, filter.In}, Doc: "which configured upstream", Example: `"cekura"`},
	{Name: "agent.id", Kind: filter.Text, Aliases: []string{"agent_id", "agent"}, Example: `"2142"`, Doc: "the voice agent"},
	{Name: "agent.agent_name", Kind: filter.Text, Aliases: []string{"agent_name", "agent.name"}, Doc: "its name"},
	{Name: "project_id", Kind: filter.Text, Aliases: []string{"project"}, Doc: "the project it belongs to"},
	{Name: "assistant_id", Kind: filter.Text, Ops: []filter.Op{filter.Eq}, Doc: "the agent's id at its own provider (Cekura only, joined by and)"},
	{Name: "success", Kind: filter.Bool, Doc: "judged outcome; absent until evaluated"},
	{Name: "status", Kind: filter.Text, AnyCase: true, Doc: "success, failure, reviewed_success, reviewed_failure; elsewhere the state of the call"},
	{Name: "is_reviewed", Kind: filter.Bool, Aliases: []string{"reviewed"}, Doc: "a person looked at it"},
	{Name: "feedback", Kind: filter.Text, Doc: "what that person wrote"},
	{Name: "duration", Kind: filter.Number, Aliases: []string{"duration_seconds"}, Doc: "length of the call in seconds"},
	{Name: "timestamp", Kind: filter.Time, Aliases: []string{"started_at", "start_time"}, Doc: "when the call began"},
	{Name: "created_at", Kind: filter.Time, Doc: "when the record was made"},
	{Name: "updated_at", Kind: filter.Time, Doc: "when the record last changed"},
	{Name: "call_ended_reason", Kind: filter.Text, AnyCase: true, Aliases: []string{"ended_reason", "end_reason"}, Example: `"silence-timed-out"`, Doc: "why it ended"},
	{Name: "dropoff_point", Kind: filter.Text, Doc: "where the caller gave up"},
	{Name: "topic", Kind: filter.Text, Doc: "what the call was about"},
	{Name: "customer_number", Kind: filter.Text, Phone: true, Aliases: []string{"customer", "from_number"}, Doc: "the caller's number or identifier"},
	{Name: "direction", Kind: filter.Text, AnyCase: true, Doc: "inbound or outbound"},
	{Name: "call_type", Kind: filter.Text, AnyCase: true, Doc: "phone_call, web_call, …"},
	{Name: "summary", Kind: filter.Text, Doc: "the provider's summary"},
	{Name: "evaluation", Kind: filter.Text, Doc: "what the judges wrote beside the metrics"},
	{Name: "trace_id", Kind: filter.Text, Doc: "the OpenTelemetry trace of the call"},
	{Name: "sentiment", Kind: filter.Text, AnyCase: true, Aliases: []string{"user_sentiment"}, Doc: "the caller's mood as the provider judged it"},
	{Name: "error_message", Kind: filter.Text, Doc: "what broke"},
	{Name: "cost", Kind: filter.Number, Doc: "in the provider's currency"},
	{Name: "latency.STAGE.p50", Kind: filter.Number, Doc: "median latency of a stage (e2e, llm, tts, …), seconds"},
	{Name: "latency.STAGE.p95", Kind: filter.Number, Doc: "its 95th percentile, seconds"},
	{Name: "turn_count", Kind: filter.Number, Aliases: []string{"turns"}, Doc: "turns of the transcript, tool calls included", Example: "20"},
	{Name: "transcript", Kind: filter.Text, Doc: "all that was said, a turn a line, compared with its accents; words are better found by search_transcripts"},
	{Name: "metadata.KEY", Kind: filter.Text, Doc: "one top-level key of the call's metadata"},
	{Name: "dynamic_variables.KEY", Kind: filter.Text, Doc: "one variable that the agent was given"},
	{Name: "metric_evaluations.metric.id", Kind: filter.Text, Relation: Evaluations, Doc: "a metric by its id"},
	{Name: "metric_evaluations.metric.name", Kind: filter.Text, Relation: Evaluations, Example: `"Instruction Follow"`, Doc: "a metric by its name; with value or passed inside same_row"},
	{Name: "metric_evaluations.value", Kind: filter.Dynamic, Relation: Evaluations, Doc: "its score, or the value of an enum"},
	{Name: "metric_evaluations.passed", Kind: filter.Bool, Relation: Evaluations, Doc: "whether it passed (binary metrics, or by rubric)"},
}

// Values makes a Log a filter.Row.
func (l *Log) Values(field string) []any {
	if rest, ok := strings.CutPrefix(field, Evaluations+"."); ok {
		values := make([]any, len(l.Metrics))
		for i := range l.Metrics {
			values[i] = l.Metrics[i].value(rest)
		}
		return values
	}
	return []any{l.value(field)}
}

// Rows makes a Log a filter.Row; its one relation is Evaluations.
func (l *Log) Rows(relation string) []filter.Row {
	if relation != Evaluations {
		return nil
	}
	rows := make([]filter.Row, len(l.Metrics))
	for i := range l.Metrics {
		rows[i] = (*evaluation)(&l.Metrics[i])
	}
	return rows
}

func (l *Log) value(field string) any {
	switch field {
	case "id":
		return textOr(l.ID.Key)
	case "call_id":
		return textOr(l.CallID)
	case "source":
		return textOr(l.ID.Source)
	case "agent.id":
		return textOr(l.AgentID)
	case "agent.agent_name":
		return textOr(l.AgentName)
	case "project_id":
		return textOr(l.ProjectID)
	case "assistant_id":
		return textOr(l.AssistantID)
	case "success":
		return known(l.Success)
	case "is_reviewed":
		return known(l.Reviewed)
	case "duration":
		return seconds(l.Duration)
	case "timestamp":
		return timeOr(l.StartedAt)
	case "created_at":
		return timeOr(l.CreatedAt)
	case "updated_at":
		return timeOr(l.UpdatedAt)
	case "turn_count":
		if l.Turns == nil {
			return nil
		}
		return float64(len(l.Turns))
	case "cost":
		return known(l.Cost)
	case "transcript":
		return l.transcript()
	}
	return l.described(field)
}

// described is value for the fields that describe the call in words.
func (l *Log) described(field string) any {
	switch field {
	case "status":
		return textOr(l.Status)
	case "feedback":
		return textOr(l.Feedback)
	case "call_ended_reason":
		return textOr(l.EndedReason)
	case "dropoff_point":
		return textOr(l.DropoffPoint)
	case "topic":
		return textOr(l.Topic)
	case "customer_number":
		return textOr(l.Customer)
	case "direction":
		return textOr(l.Direction)
	case "call_type":
		return textOr(l.CallType)
	case "summary":
		return textOr(l.Summary)
	case "evaluation":
		return textOr(l.Evaluation)
	case "trace_id":
		return textOr(l.TraceID)
	case "sentiment":
		return textOr(l.Sentiment)
	case "error_message":
		return textOr(l.ErrorMessage)
	}
	return l.keyed(field)
}

// keyed is value for the fields whose name holds a key.
func (l *Log) keyed(field string) any {
	switch prefix, key, _ := strings.Cut(field, "."); prefix {
	case "metadata":
		return plain(l.Metadata[key])
	case "dynamic_variables":
		return plain(l.DynamicVariables[key])
	case "latency":
		stage, quantile, _ := strings.Cut(key, ".")
		if quantile == "p50" {
			return seconds(l.Latency[stage].P50)
		}
		return seconds(l.Latency[stage].P95)
	}
	return nil
}

func (l *Log) transcript() any {
	if l.Turns == nil {
		return nil
	}
	var b strings.Builder
	for i := range l.Turns {
		between := "" // a turn is one line, so that a pattern meets a tool and its result
		for _, part := range l.Turns[i].spoken() {
			if part != "" {
				b.WriteString(between + part)
				between = " "
			}
		}
		if between != "" {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// evaluation makes a Metric a filter.Row.
type evaluation Metric

func (e *evaluation) Values(field string) []any {
	return []any{(*Metric)(e).value(strings.TrimPrefix(field, Evaluations+"."))}
}

func (e *evaluation) Rows(string) []filter.Row { return nil }

func (m *Metric) value(field string) any {
	switch field {
	case "metric.id":
		return textOr(m.ID)
	case "metric.name":
		return textOr(m.Name)
	case "passed":
		return known(m.Passed)
	case "value":
		if m.Score != nil {
			return *m.Score
		}
		return textOr(m.Value)
	}
	return nil
}

// textOr is s; nothing where nothing of it is seen.
func textOr(s string) any {
	if filter.Blank(s) {
		return nil
	}
	return s
}

func timeOr(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func known[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func seconds(d *time.Duration) any {
	if d == nil {
		return nil
	}
	return d.Seconds()
}

// plain is a value of decoded JSON as text: a string as it is, all else as JSON.
func plain(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return textOr(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return string(b)
}
