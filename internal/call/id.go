package call

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// URI is the address of the call's record as an MCP resource.
func (id ID) URI() string {
	return "call://" + escaped(id.Source) + "/" + escaped(id.Key)
}

// escaped leaves unreserved characters alone (RFC 3986 §2.3): URI templates
// match nothing else.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// ParseID reads "source/key", call://source/key, or a bare key where there is
// one source only. The key may also be the provider's own call id: the source
// finds out.
func ParseID(s string, sources []string) (ID, error) {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "call://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		source, key, _ := strings.Cut(rest, "/")
		key, _, _ = strings.Cut(key, "/")
		s = unescaped(source) + "/" + unescaped(key)
	}
	source, key, ok := strings.Cut(s, "/")
	switch {
	case s == "" || len(s) > 200 || ok && key == "":
		return ID{}, &Error{Kind: Invalid, Msg: "That is no call id.", Hint: "Ids look like " + sources[0] + "/48213 and come from list_call_logs or search_transcripts."}
	case ok && slices.Contains(sources, source):
		return ID{source, key}, nil
	case len(sources) == 1 && !ok:
		return ID{sources[0], s}, nil
	case ok:
		return ID{}, &Error{Kind: Invalid, Msg: fmt.Sprintf("No source %q.", source), Hint: "An id is source/key; sources: " + strings.Join(sources, ", ") + "."}
	}
	return ID{}, &Error{Kind: Invalid, Msg: fmt.Sprintf("%q does not say which source it is of.", s), Hint: "Write " + sources[0] + "/" + s + "; sources: " + strings.Join(sources, ", ") + "."}
}

// unescaped is s as it was before url.PathEscape, if it was.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
