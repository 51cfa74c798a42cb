package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"call-logs-mcp/internal/filter"
)

// arguments checks what a model sends against the schema that it was served,
// and says in words what is wrong. What models commonly get nearly right is
// understood: "5" for 5, "a,b" for a list, an object for its JSON, null and ""
// for absent, and the names that other tools taught them.
type arguments struct {
	tool   string
	schema *jsonschema.Schema
}

// equivalents are other tools' names of our arguments. One is understood only
// by a tool that has the argument it stands for.
var equivalents = map[string][]string{
	"timestamp_from":    {"from", "since", "after", "start", "start_date", "start_time", "date_from", "timestamp__gte", "timestamp_gte", "from_date"},
	"timestamp_to":      {"to", "until", "before", "end", "end_date", "end_time", "date_to", "timestamp__lte", "timestamp_lte", "to_date"},
	"page_size":         {"limit", "count", "max_results", "per_page", "size", "n"},
	"project_id":        {"project"},
	"agent_id":          {"agent"},
	"assistant_id":      {"assistant"},
	"call_ids":          {"ids"},
	"id":                {"call_id", "call_log_id", "call", "key"},
	"filters_v2":        {"filters", "filter", "where"},
	"call_ended_reason": {"ended_reason", "end_reason", "reason"},
	"customer_number":   {"customer", "phone", "phone_number", "number", "caller"},
	"min_duration":      {"duration_min", "min_duration_seconds", "duration__gte"},
	"max_duration":      {"duration_max", "max_duration_seconds", "duration__lte"},
	"query":             {"q", "text", "search"},
	"order_by":          {"sort", "sort_by", "order", "ordering"},
	"response_format":   {"format"},
	"max_tokens":        {"tokens", "token_budget", "budget"},
	"cursor":            {"next_cursor", "page_token", "after_cursor"},
	"role":              {"speaker"},
	"from_turn":         {"start_turn"},
	"to_turn":           {"end_turn"},
	"around":            {"turn", "at"},
	"match":             {"contains"},
	"field":             {"name"},
	"transcript":        {"include_transcript"},
}

// The limits of arguments, in bytes of JSON unless they say otherwise. They are
// checked before anything is read of a value: reading takes many times its size.
const (
	maxArguments = 128 << 10 // of all arguments of a call
	maxText      = 8 << 10   // of one that is a text, a number or a truth
	maxPacked    = 96 << 10  // of filters_v2, a cursor or a list
	maxItems     = 1000      // entries of a list
)

// sized refuses an argument that is too long to be one.
func sized(name string, prop *jsonschema.Schema, raw json.RawMessage) error {
	limit := maxText
	if name == "filters_v2" || name == "cursor" || prop.Type == "array" {
		limit = maxPacked
	}
	if len(raw) > limit {
		return fmt.Errorf("%s has %d bytes; at most %d are taken", name, len(raw), limit)
	}
	return nil
}

// bind fills dst from raw, or returns an error meant for the model.
func (a arguments) bind(raw json.RawMessage, dst any) error {
	if len(raw) > maxArguments {
		return fmt.Errorf("the arguments of %s have %d bytes; at most %d are taken", a.tool, len(raw), maxArguments)
	}
	given := map[string]json.RawMessage{}
	if object := unwrapped(raw); len(object) > 0 {
		if err := json.Unmarshal(object, &given); err != nil {
			return fmt.Errorf("the arguments of %s are a JSON object; got %s", a.tool, clip(string(raw)))
		}
	}
	clean, as := map[string]any{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		own := a.resolve(name)
		prop, ok := a.schema.Properties.Get(own)
		if !ok {
			return a.unknown(name)
		}
		if err := sized(own, prop, given[name]); err != nil {
			return err
		}
		v, err := coerce(own, prop, given[name])
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		if _, twice := clean[own]; twice {
			return fmt.Errorf("%s and %s are the same argument; give one", as[own], name)
		}
		clean[own], as[own] = v, name
	}
	for _, name := range a.schema.Required {
		if clean[name] == nil {
			return fmt.Errorf("%s needs %s. %s", a.tool, name, a.takes())
		}
	}
	b, err := json.Marshal(clean)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, dst)
}

// unwrapped is the object of arguments that clients send as a JSON text, as a
// list of it alone, or as an empty list or text for none; nil for none.
func unwrapped(raw json.RawMessage) json.RawMessage {
	for range 4 {
		raw = bytes.TrimSpace(raw)
		if text, isText := unquote(raw); isText {
			raw = json.RawMessage(text)
			continue
		}
		var list []json.RawMessage
		if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil || len(list) > 1 || len(list) == 1 && list[0][0] != '{' {
			break
		}
		raw = slices.Concat(list...)
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// resolve is the argument that name stands for.
func (a arguments) resolve(name string) string {
	if _, ok := a.schema.Properties.Get(name); ok {
		return name
	}
	low := strings.ToLower(name)
	for own, others := range equivalents {
		if _, ok := a.schema.Properties.Get(own); ok && (low == own || slices.Contains(others, low)) {
			return own
		}
	}
	return name
}

func (a arguments) unknown(name string) error {
	msg := fmt.Sprintf("No argument %q.", clip(name))
	if hint := a.instead(name); hint != "" {
		return fmt.Errorf("%s %s", msg, hint)
	}
	if near := filter.Closest(name, a.names()); near != "" {
		msg += fmt.Sprintf(" Did you mean %s?", near)
	}
	return fmt.Errorf("%s %s", msg, a.takes())
}

func (a arguments) takes() string { return a.tool + " takes: " + strings.Join(a.names(), ", ") }

func (a arguments) names() (names []string) {
	for p := a.schema.Properties.Oldest(); p != nil; p = p.Next() {
		names = append(names, p.Key)
	}
	return names
}

// coerce reads raw as prop wants it; nil is absent.
func coerce(name string, prop *jsonschema.Schema, raw json.RawMessage) (any, error) {
	raw = bytes.TrimSpace(raw)
	text, isText := unquote(raw)
	if string(raw) == "null" || isText && (strings.TrimSpace(text) == "" || text == "null") {
		return nil, nil
	}
	switch prop.Type {
	case "integer", "number":
		return coerceNumber(name, prop, raw, text, isText)
	case "boolean":
		switch strings.ToLower(strings.Trim(string(raw), `"`)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, fmt.Errorf("%s is true or false, got %s", name, clip(string(raw)))
	case "array":
		return coerceList(name, raw, text, isText)
	}
	if !isText { // an object for its JSON, a number for its digits
		text = string(raw)
		if (raw[0] == '{' || raw[0] == '[') && name != "filters_v2" {
			return nil, fmt.Errorf("%s is a text, got %s", name, clip(string(raw)))
		}
	}
	return oneOf(name, prop, text)
}

func unquote(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

func oneOf(name string, prop *jsonschema.Schema, text string) (any, error) {
	if len(prop.Enum) == 0 {
		return text, nil
	}
	words := make([]string, len(prop.Enum))
	for i, e := range prop.Enum {
		words[i] = fmt.Sprint(e)
		if strings.EqualFold(words[i], strings.TrimSpace(text)) {
			return words[i], nil
		}
	}
	msg := fmt.Sprintf("%s is one of %s; got %q.", name, strings.Join(words, ", "), clip(text))
	if near := filter.Closest(text, words); near != "" {
		msg += " Did you mean " + near + "?"
	}
	return nil, fmt.Errorf("%s", msg)
}

func coerceNumber(name string, prop *jsonschema.Schema, raw json.RawMessage, text string, isText bool) (any, error) {
	if !isText {
		text = string(raw)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || n-n != 0 || prop.Type == "integer" && n != math.Trunc(n) {
		return nil, fmt.Errorf("%s is a %s, got %s", name, map[string]string{"integer": "whole number", "number": "number"}[prop.Type], clip(string(raw)))
	}
	low, noLow := prop.Minimum.Float64()
	high, noHigh := prop.Maximum.Float64()
	switch {
	case noLow == nil && noHigh == nil && (n < low || n > high):
		return nil, fmt.Errorf("%s goes from %s to %s, got %s", name, prop.Minimum, prop.Maximum, clip(text))
	case noLow == nil && n < low:
		return nil, fmt.Errorf("%s is at least %s, got %s", name, prop.Minimum, clip(text))
	case prop.Type == "integer" && math.Abs(n) < 1<<53:
		return int64(n), nil
	}
	return n, nil
}

func coerceList(name string, raw json.RawMessage, text string, isText bool) (any, error) {
	if isText && strings.HasPrefix(strings.TrimSpace(text), "[") {
		raw, isText = json.RawMessage(text), false
	}
	if isText {
		return fewItems(name, strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }))
	}
	var items []any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if raw[0] != '[' { // a single value is a list of it
		raw = slices.Concat([]byte("["), raw, []byte("]"))
		dec = json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
	}
	if err := dec.Decode(&items); err != nil {
		return nil, fmt.Errorf("%s is a list of texts, got %s", name, clip(string(raw)))
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		switch item := item.(type) {
		case string:
			list = append(list, item)
		case json.Number:
			list = append(list, item.String())
		case nil:
		default:
			return nil, fmt.Errorf("%s is a list of texts, got %s", name, clip(string(raw)))
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return fewItems(name, list)
}

func fewItems(name string, list []string) (any, error) {
	if len(list) > maxItems {
		return nil, fmt.Errorf("%s has %d entries; at most %d are taken", name, len(list), maxItems)
	}
	return list, nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
