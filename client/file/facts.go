package file

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

// An object is a JSON object by the names of its members, which are compared
// without case and separators: exporters write call_id, callId and CallID.
// Its member of no name is the object itself, where it is one of a file.
type object map[string]gjson.Result

func members(v gjson.Result) object {
	if !v.IsObject() {
		return nil
	}
	o := object{"": v}
	v.ForEach(func(key, value gjson.Result) bool {
		o[plain(key.Str)] = value // of two, the last
		return true
	})
	return o
}

func plain(name string) string { return strings.ToLower(separators.Replace(name)) }

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

// any holds where one of names is there.
func (o object) any(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return !isNothing(o[name]) })
}

func isNothing(v gjson.Result) bool {
	return v.Type == gjson.Null || v.Type == gjson.String && strings.TrimSpace(v.Str) == ""
}

// Facts are the objects that tell of one call, the first the most trusted.
type facts []object

// get is the first of paths that is there, in any of the objects. A path is the
// plain names of members, with dots between.
func (f facts) get(paths ...string) gjson.Result {
	for _, path := range paths {
		for _, o := range f {
			if v := o.at(path); !isNothing(v) {
				return v
			}
		}
	}
	return gjson.Result{}
}

func (o object) at(path string) gjson.Result {
	name, rest, deeper := strings.Cut(path, ".")
	v := o[name]
	switch {
	case !deeper:
		return v
	case v.IsArray():
		if list := v.Array(); len(list) > 0 && list[0].IsObject() {
			return members(list[0]).at(rest)
		}
	case v.IsObject():
		return members(v).at(rest)
	}
	return gjson.Result{}
}

// text is a text, or a number or truth as it is written.
func (f facts) text(paths ...string) string {
	v := f.get(paths...)
	switch v.Type {
	case gjson.String:
		return strings.TrimSpace(v.Str)
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw
	}
	return ""
}

// number is a number, also where it is written as a text.
func (f facts) number(paths ...string) *float64 {
	var n loose.Number
	_ = n.UnmarshalJSON([]byte(f.get(paths...).Raw))
	return n.V
}

func (f facts) truth(paths ...string) *bool {
	var t loose.Truth
	_ = t.UnmarshalJSON([]byte(f.get(paths...).Raw))
	return t.V
}

// scaled is a length in units of unit.
func (f facts) scaled(unit time.Duration, paths ...string) *time.Duration {
	n := f.number(paths...)
	if n == nil || *n < 0 || *n*unit.Seconds() > 1e9 {
		return nil
	}
	return new(time.Duration(math.Round(*n*float64(unit)/1e3)) * time.Microsecond)
}

// length is a length in seconds, or as a clock writes it.
func (f facts) length(paths ...string) *time.Duration {
	var l loose.Length
	_ = l.UnmarshalJSON([]byte(f.get(paths...).Raw))
	return l.V
}

// object is a map as metadata has it.
func (f facts) object(paths ...string) map[string]any {
	for _, path := range paths {
		if m := values(f.get(path)); len(m) > 0 {
			return m
		}
	}
	return nil
}

// values decodes an object. Whole numbers that a float would round keep their digits.
func values(v gjson.Result) map[string]any {
	var o loose.Object
	_ = o.UnmarshalJSON([]byte(v.Raw))
	m := map[string]any{}
	for k, x := range o {
		if x = exact(x); x != nil && !secret[plain(k)] {
			m[k] = x
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// exact leaves a number as it is written where a float64 would lose digits of it.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		if again, _ := json.Marshal(n); err != nil || len(v) > 15 && string(again) != v.String() {
			return v
		}
		return n
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	}
	return v
}

// secret are members that open something, and are not kept.
var secret = map[string]bool{"accesstoken": true, "apikey": true, "xapikey": true, "authorization": true, "credentials": true, "listenurl": true, "controlurl": true, "serversecret": true}

// forms are the transcripts that a call has, the best first.
func (f facts) forms(paths ...string) (out []json.RawMessage) {
	for _, path := range paths {
		if v := f.get(path); !isNothing(v) {
			out = append(out, json.RawMessage(v.Raw))
		}
	}
	return out
}

// metric is one evaluation of a call by a value.
func metric(id, name, kind string, v gjson.Result) call.Metric {
	m := call.Metric{ID: id, Name: name, Type: kind}
	switch v.Type {
	case gjson.Number:
		m.Score = new(v.Num)
	case gjson.String:
		m.Value = v.Str
	default:
		m.Value = v.Raw
	}
	return m
}

// data makes metrics of the members of an object that was taken from the talk.
func data(v gjson.Result) (out []call.Metric) {
	v.ForEach(func(key, value gjson.Result) bool {
		if !isNothing(value) && !value.IsObject() {
			out = append(out, metric("", key.Str, "data", value))
		}
		return true
	})
	return out
}
