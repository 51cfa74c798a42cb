package call_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
)

// kept are the texts of a Log that MapText leaves as they are.
var kept = []string{"ID.Source", "ID.Key", "Turns.Role"}

// named are the identifiers that questions are asked with.
var named = []string{"AgentID", "ProjectID", "AssistantID", "TraceID", "Metrics.ID"}

// texts calls yield with every text in v and where it stands.
func texts(v reflect.Value, path string, yield func(path, s string)) {
	switch v.Kind() {
	case reflect.String:
		yield(path, v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			texts(v.Elem(), path, yield)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), path, yield)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			texts(v.MapIndex(key), path, yield)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				texts(v.Field(i), strings.TrimPrefix(path+"."+f.Name, "."), yield)
			}
		}
	}
}

func TestMapTextMapsAllThatIsSaid(t *testing.T) {
	mark := func(with string) func(string) string { return func(s string) string { return with + s } }
	mapped := full().MapText(view(mark("•"), mark("#")))
	seen := map[string]bool{}
	texts(reflect.ValueOf(mapped), "", func(path, s string) {
		seen[path] = true
		assert.Equal(t, slices.Contains(named, path), strings.HasPrefix(s, "#"), "%s is %q", path, s)
		assert.Equal(t, !slices.Contains(named, path) && !slices.Contains(kept, path), strings.HasPrefix(s, "•"), "%s is %q: it is to be mapped, or listed", path, s)
	})
	for _, path := range slices.Concat(named, kept) {
		assert.True(t, seen[path], "%s is no text of a Log", path)
	}
	assert.Equal(t, map[string]any{"•list": []any{"•metadata deep", "•4915112345678", true, nil}}, mapped.Metadata["•deep"])
	assert.Equal(t, "•42", mapped.DynamicVariables["•n"], "numbers may be telephone numbers")
}

// Names of a call that hold its caller's number hold it masked; what finds the
// call does not change.
func TestMapTextMasksTheCallersNumberInNames(t *testing.T) {
	words := strings.NewReplacer("+14155550123", "+1•0123", "555-0199", "•0199").Replace
	l := &call.Log{
		ID: call.ID{Source: "telzino", Key: "0f-14155550123"}, Customer: "+14155550123", CallID: "call-_14155550123_x7Qp", TraceID: "t-14155550123",
		DashboardURL: "https://d.example.com/7?id=14155550123", RecordingURL: "https://r.example.com/call-_%2B14155550123_x7Qp.mp4?sign=ed",
	}
	got := l.MapText(view(words, itself))
	assert.Equal(t, &call.Log{
		ID: l.ID, Customer: "+1•0123", CallID: "call-_1•0123_x7Qp", TraceID: "t-1•0123",
		DashboardURL: l.DashboardURL, RecordingURL: "https://r.example.com/call-_+1•0123_x7Qp.mp4",
	}, got)
	assert.Equal(t, l, l.MapText(view(itself, itself)), "where numbers are shown, all is as it was")

	l.RecordingURL, l.Customer = "https://r.example.com/call%2014155550123.mp4?X-Amz-Expires=3600", "Jo 123"
	assert.Equal(t, l, l.MapText(view(words, itself)), "signed addresses work, and few digits are no number")
	l.RecordingURL, l.DashboardURL = "https://r.example.com/to/555-0199.mp4?sign=ed", "https://d.example.com/of/555-0199"
	assert.Equal(t, "https://r.example.com/to/•0199.mp4", l.MapText(view(words, itself)).RecordingURL)
	assert.Equal(t, "https://d.example.com/of/•0199", l.MapText(view(words, itself)).DashboardURL)
}

// Names write a number without its country's code, too, and with a prefix for trunks.
func TestMapTextMasksTheNationalNumberInNames(t *testing.T) {
	masks := func(s string) string { return "•" + s[max(0, len(s)-4):] }
	number := &call.View{Text: itself, Number: masks, Name: itself, Hides: true}
	for name, want := range map[string]string{
		"call-4-4155550123":      "call-4-•0123",
		"call-04155550123-x":     "call-0•0123-x",
		"room_0014155550123":     "room_00•0123",
		"5550123.mp4":            "•0123.mp4",
		"0123-20261120T15100550": "0123-20261120T15100550",
	} {
		l := &call.Log{Customer: "+14155550123", CallID: name}
		assert.Equal(t, want, l.MapText(number).CallID)
		l.TraceID = name
		assert.Equal(t, []any{want}, number.Values(l, "call_id"), "conditions see the same")
		assert.Equal(t, []any{want}, number.Values(l, "trace_id"))
	}
}

func TestMapTextLeavesTheOriginal(t *testing.T) {
	l, same := full(), full()
	l.Turns = append(l.Turns, call.Turn{Index: 2, Text: "second", Tool: &call.Tool{Args: "a", Result: "r"}})
	same.Turns = append(same.Turns, call.Turn{Index: 2, Text: "second", Tool: &call.Tool{Args: "a", Result: "r"}})
	l.MapText(view(func(string) string { return "•" }, itself))
	assert.Equal(t, same, l)

	kept := l.MapText(view(itself, itself))
	assert.Equal(t, l, kept)
	assert.Same(t, &l.Turns[0], &kept.Turns[0], "what is left alone is shared")
	assert.Equal(t, json.Number("42"), kept.DynamicVariables["n"], "a number that is left alone stays one")

	second := l.MapText(view(func(s string) string { return strings.ReplaceAll(s, "second", "•") }, itself))
	assert.Equal(t, "•", second.Turns[1].Text)
	assert.Equal(t, l.Turns[0], second.Turns[0])
	assert.Equal(t, "second", l.Turns[1].Text)

	assert.Equal(t, &call.Log{}, (&call.Log{}).MapText(view(itself, itself)), "missing stays missing")
}

// view puts text to all texts, numbers among them, and name to identifiers.
func view(text, name func(string) string) *call.View {
	return &call.View{Text: text, Number: text, Name: name}
}

func itself(s string) string { return s }
