package tools

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// labels is what the client is told of an answer as data, beside it: that it is
// private, and in which of its parts strangers' words stand. Every text is such a
// part but those with the tag trust:"ours", so that none is forgotten.
func labels(data any) *mcp.Meta {
	paths := untrusted(reflect.TypeOf(data), "")
	slices.Sort(paths)
	return mcp.NewMetaFromMap(map[string]any{
		"ifc":       map[string]string{"integrity": "untrusted", "confidentiality": "private"},
		"untrusted": slices.Compact(paths),
	})
}

// untrusted lists the parts of t that hold texts of strangers, as calls[].topic;
// the values of a map are metadata.*, and its keys are as little ours.
func untrusted(t reflect.Type, at string) (paths []string) {
	switch t.Kind() {
	case reflect.String:
		return []string{at}
	case reflect.Pointer:
		return untrusted(t.Elem(), at)
	case reflect.Slice:
		return untrusted(t.Elem(), at+"[]")
	case reflect.Map:
		return append(untrusted(t.Elem(), at+".*"), at+".*")
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return nil
		}
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Tag.Get("trust") == "ours":
			case f.Anonymous:
				paths = append(paths, untrusted(f.Type, at)...)
			default:
				paths = append(paths, untrusted(f.Type, strings.TrimPrefix(at+"."+name, "."))...)
			}
		}
	}
	return paths
}
