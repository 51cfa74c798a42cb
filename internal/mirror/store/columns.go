package store

import (
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A column of calls that is a field of call.Fields.
type column struct {
	name string
	kind kind
}

// columns are the fields that have one.
var columns = map[string]column{
	"id":                {"key", keyed},
	"call_id":           {"call_id", textual},
	"source":            {"source", named},
	"agent.id":          {"agent", coded},
	"agent.agent_name":  {"agent_name", coded},
	"project_id":        {"project", coded},
	"assistant_id":      {"assistant", coded},
	"success":           {"success", truthful},
	"status":            {"status", coded},
	"is_reviewed":       {"reviewed", truthful},
	"feedback":          {"feedback", coded},
	"duration":          {"duration", lasting},
	"timestamp":         {"start", dated},
	"created_at":        {"created", dated},
	"updated_at":        {"updated", dated},
	"call_ended_reason": {"reason", coded},
	"dropoff_point":     {"dropoff", coded},
	"topic":             {"topic", coded},
	"customer_number":   {"customer", textual},
	"direction":         {"direction", coded},
	"call_type":         {"call_type", coded},
	"sentiment":         {"sentiment", coded},
	"error_message":     {"error", coded},
	"cost":              {"cost", numeric},
	"turn_count":        {"turns", numeric},
}

// codedTexts are the columns that hold ids of strings, and what they hold.
var codedTexts = []struct {
	column string
	text   func(*call.Log) string
}{
	{"agent", func(l *call.Log) string { return l.AgentID }},
	{"agent_name", func(l *call.Log) string { return l.AgentName }},
	{"project", func(l *call.Log) string { return l.ProjectID }},
	{"assistant", func(l *call.Log) string { return l.AssistantID }},
	{"status", func(l *call.Log) string { return l.Status }},
	{"feedback", func(l *call.Log) string { return l.Feedback }},
	{"reason", func(l *call.Log) string { return l.EndedReason }},
	{"dropoff", func(l *call.Log) string { return l.DropoffPoint }},
	{"topic", func(l *call.Log) string { return l.Topic }},
	{"direction", func(l *call.Log) string { return l.Direction }},
	{"call_type", func(l *call.Log) string { return l.CallType }},
	{"sentiment", func(l *call.Log) string { return l.Sentiment }},
	{"error", func(l *call.Log) string { return l.ErrorMessage }},
}

// Values of columns; nil where the call has none.

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
	return nanos(t)
}

func lengthOr(d *time.Duration) any {
	if d == nil {
		return nil
	}
	return int64(*d)
}

func boolOr(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}

// sign is how SQL writes a comparison; "" for what it has no sign for.
func sign(op filter.Op) string {
	switch op {
	case filter.Eq:
		return "="
	case filter.Neq:
		return "<>"
	case filter.Gt:
		return ">"
	case filter.Gte:
		return ">="
	case filter.Lt:
		return "<"
	case filter.Lte:
		return "<="
	}
	return ""
}
