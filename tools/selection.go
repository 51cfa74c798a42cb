package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// selection is the arguments that every tool shares which selects calls. They
// fold into one filter.
type selection struct {
	Source        string   `json:"source,omitempty" jsonschema_description:"Only this configured upstream."`
	AgentID       string   `json:"agent_id,omitempty" jsonschema_description:"The voice agent's id or name; several with commas."`
	ProjectID     string   `json:"project_id,omitempty"`
	AssistantID   string   `json:"assistant_id,omitempty"`
	CallIDs       []string `json:"call_ids,omitempty" jsonschema_description:"Only these calls."`
	TimestampFrom string   `json:"timestamp_from,omitempty" jsonschema_description:"Start of the window: now-7d, today, yesterday, last 24h, 2026-11-17, RFC 3339. Without one the source's default holds (Cekura: 30 days)."`
	TimestampTo   string   `json:"timestamp_to,omitempty" jsonschema_description:"Its end, included; a day means until its end. Default now."`
	Success       *bool    `json:"success,omitempty" jsonschema_description:"Judged outcome; calls not evaluated have none."`
	EndedReason   string   `json:"call_ended_reason,omitempty" jsonschema_description:"Exact, e.g. silence-timed-out."`
	Topic         string   `json:"topic,omitempty" jsonschema_description:"Exact; for a part of it use filters_v2 with contains."`
	Customer      string   `json:"customer_number,omitempty"`
	MinDuration   *float64 `json:"min_duration,omitempty" jsonschema:"minimum=0" jsonschema_description:"Seconds."`
	MaxDuration   *float64 `json:"max_duration,omitempty" jsonschema:"minimum=0" jsonschema_description:"Seconds."`
	Filters       string   `json:"filters_v2,omitempty" jsonschema_description:"JSON, for all else: {\"field\",\"op\",\"value\"} or {\"operator\":\"and|or|same_row\",\"conditions\":[…]}. Fields and operators: describe_fields."`
}

// paging is how a list is walked.
type paging struct {
	PageSize int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=20"`
	Cursor   string `json:"cursor,omitempty" jsonschema_description:"From the previous answer; alone it is enough."`
}

// where folds the selection into one filter.
func (s selection) where(d Deps) (filter.Expr, error) {
	from, to, err := s.window(d.clock())
	if err != nil {
		return nil, err
	}
	extra, err := filter.Parse([]byte(s.Filters), call.Fields(), d.clock())
	if err != nil {
		return nil, &call.Error{Kind: call.Invalid, Msg: "filters_v2, " + err.Error()}
	}
	own, err := s.conditions(d)
	if err != nil {
		return nil, err
	}
	return filter.All(filter.Within("timestamp", from, to), own, extra), nil
}

func (s selection) window(clock filter.Clock) (from, to time.Time, err error) {
	read := func(name, given string, end bool) time.Time {
		if given == "" || err != nil {
			return time.Time{}
		}
		t, e := clock.Time(given, end)
		if e != nil {
			err = &call.Error{Kind: call.Invalid, Msg: name + " " + e.Error() + "."}
		}
		return t
	}
	from, to = read("timestamp_from", s.TimestampFrom, false), read("timestamp_to", s.TimestampTo, true)
	end := to
	if end.IsZero() {
		end = clock.Now
	}
	if err == nil && !from.IsZero() && !from.Before(end) {
		err = &call.Error{
			Kind: call.Invalid,
			Msg:  fmt.Sprintf("timestamp_from (%s) is not before timestamp_to (%s).", from.Format(time.RFC3339), end.UTC().Format(time.RFC3339)),
			Hint: fmt.Sprintf("It is now %s.", clock.Now.UTC().Format(time.RFC3339)),
		}
	}
	return from, to, err
}

// spoken is the window as it was asked for, where the answer's absolute times do
// not show it.
func spoken(from, to string) string {
	relative := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s[:1], func(r rune) bool { return '0' <= r && r <= '9' })
	}
	switch {
	case relative(from) && relative(to):
		return clip(from + " → " + to)
	case relative(from):
		return clip(from)
	case relative(to):
		return clip("→ " + to)
	}
	return ""
}

func (s selection) conditions(d Deps) (filter.Expr, error) {
	var and filter.And
	add := func(field string, op filter.Op, value any) {
		f, _ := call.Fields().Field(field)
		and = append(and, f.Cased(filter.Cond{Field: field, Op: op, Value: value}))
	}
	if s.Source != "" {
		if !slices.Contains(d.Sources, s.Source) {
			return nil, unknownSource(s.Source, d.Sources)
		}
		add("source", filter.Eq, s.Source)
	}
	if s.AgentID != "" {
		and = append(and, agent(s.AgentID))
	}
	switch list := splitList(s.ProjectID); {
	case len(list) == 1:
		add("project_id", filter.Eq, list[0])
	case len(list) > 1:
		add("project_id", filter.In, anys(list))
	}
	if s.AssistantID != "" {
		add("assistant_id", filter.Eq, s.AssistantID)
	}
	if len(s.CallIDs) > 0 {
		e, err := callIDs(s.CallIDs, d.Sources)
		if err != nil {
			return nil, err
		}
		and = append(and, e)
	}
	if s.Success != nil {
		add("success", filter.Eq, *s.Success)
	}
	if s.EndedReason != "" {
		add("call_ended_reason", filter.Eq, s.EndedReason)
	}
	if s.Topic != "" {
		add("topic", filter.Eq, s.Topic)
	}
	if s.Customer != "" {
		add("customer_number", filter.Eq, filter.Operand(s.Customer))
	}
	if s.MinDuration != nil {
		add("duration", filter.Gte, *s.MinDuration)
	}
	if s.MaxDuration != nil {
		add("duration", filter.Lte, *s.MaxDuration)
	}
	return filter.All(and...), nil
}

func unknownSource(name string, sources []string) error {
	e := &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("No source %q.", clip(name)), Hint: "Sources: " + strings.Join(sources, ", ") + "."}
	if near := filter.Closest(name, sources); near != "" {
		e.Hint = fmt.Sprintf("Did you mean %s? %s", near, e.Hint)
	}
	return e
}

// isAgentID holds of what no agent is called: numbers, UUIDs and the ids of platforms.
func isAgentID(s string) bool {
	_, key, ok := strings.Cut(s, "_")
	switch {
	case strings.Trim(s, "0123456789") == "":
		return true
	case ok && (strings.HasPrefix(s, "agent_") || strings.HasPrefix(s, "asst_") || strings.HasPrefix(s, "assistant_")):
		return strings.ContainsAny(key, "0123456789")
	}
	return len(s) >= 20 && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

// agent is the filter for agents by their ids or names, several with commas. A
// word may be either unless it looks like an id, and a list may be one name that
// has commas.
func agent(given string) filter.Expr {
	list := splitList(given)
	or := filter.Or{}
	ids := []string{}
	named := func(s string) { or = append(or, filter.Cond{Field: "agent.agent_name", Op: filter.Eq, Value: s}) }
	for _, s := range list {
		name := strings.ContainsFunc(s, func(r rune) bool {
			return r > unicode.MaxASCII || unicode.IsSpace(r) || strings.ContainsRune(`|/&"`, r)
		})
		if !name {
			ids = append(ids, s)
		}
		if name || !isAgentID(s) {
			named(s)
		}
	}
	if len(list) > 1 && len(or) > 0 {
		named(strings.TrimSpace(given))
	}
	switch {
	case len(ids) == 1:
		or = append(or, filter.Cond{Field: "agent.id", Op: filter.Eq, Value: ids[0]})
	case len(ids) > 1:
		or = append(or, filter.Cond{Field: "agent.id", Op: filter.In, Value: anys(ids)})
	}
	if len(or) == 1 {
		return or[0]
	}
	return or
}

// callIDs is the filter for a list of ids, each written in any way that ParseID
// takes. A key that is no number may be the provider's own identifier.
func callIDs(list, sources []string) (filter.Expr, error) {
	keys := map[string][]any{}
	for _, s := range list {
		id, err := call.ParseID(s, sources)
		if err != nil {
			return nil, err
		}
		keys[id.Source] = append(keys[id.Source], id.Key)
	}
	var or filter.Or
	for _, source := range sources {
		if len(keys[source]) == 0 {
			continue
		}
		var numbers, texts []any
		for _, k := range keys[source] {
			if strings.Trim(k.(string), "0123456789") == "" {
				numbers = append(numbers, k)
			} else {
				texts = append(texts, k)
			}
		}
		var one filter.Or
		if len(numbers) > 0 {
			one = append(one, idIn(numbers))
		}
		if len(texts) > 0 {
			one = append(one, idIn(texts), filter.Cond{Field: "call_id", Op: filter.In, Value: texts})
		}
		e := filter.Expr(one)
		if len(one) == 1 {
			e = one[0]
		}
		if len(sources) > 1 {
			e = filter.All(filter.Cond{Field: "source", Op: filter.Eq, Value: source}, e)
		}
		or = append(or, e)
	}
	if len(or) == 1 {
		return or[0], nil
	}
	return or, nil
}

// idIn has its values as Parse leaves them: numbers as numbers.
func idIn(keys []any) filter.Expr {
	e, err := filter.Parse([]byte(filter.Cond{Field: "id", Op: filter.In, Value: keys}.String()), call.Fields(), filter.Clock{})
	if err != nil {
		return filter.Cond{Field: "id", Op: filter.In, Value: keys}
	}
	return e
}

func splitList(s string) (out []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func anys[T any](in []T) []any {
	out := make([]any, len(in))
	for i, x := range in {
		out[i] = x
	}
	return out
}
