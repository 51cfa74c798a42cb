// Package file answers from call logs in JSONL files, for exports and for
// evaluation. Each line is one call in the neutral record format (see record),
// plain or gzipped. Everything is read into memory when the source is opened,
// so it suits some ten thousand calls, and files that change are not noticed.
package file

import (
	"context"
	"fmt"
	"slices"

	"call-logs-mcp/internal/call"
)

// Open reads the files at paths as one source, whose ids begin with name. Its
// errors are for the operator: they name the file, the line, and what is wrong
// there. Several files together hold at most 2 GiB, uncompressed.
func Open(name string, paths ...string) (call.Source, error) {
	r := reader{name: name, left: maxBytes, where: map[string]string{}}
	for _, path := range paths {
		if err := r.file(path); err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
	}
	// The order that is asked for most: sorting what is sorted costs little.
	slices.SortFunc(r.logs, call.Newest.Compare)
	s := &source{name: name, logs: r.logs, byKey: map[string]*call.Log{}}
	for _, l := range slices.Backward(r.logs) { // of equal call ids, the newest
		s.byKey[l.CallID] = l
	}
	for _, l := range r.logs { // a key wins over the call id of another
		s.byKey[l.ID.Key] = l
	}
	return s, nil
}

// A source has no default window: a question without time bounds is about
// every call, and only such a question meets those without a start time.
type source struct {
	name  string
	logs  []*call.Log          // newest first
	byKey map[string]*call.Log // and by CallID
}

func (s *source) Find(ctx context.Context, q call.Query) (call.Page, error) {
	return call.Sorted(ctx, q, s.logs)
}

func (s *source) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if err := ctx.Err(); err != nil {
		return nil, call.Stopped(err)
	}
	if l, ok := s.byKey[id.Key]; ok {
		return l, nil
	}
	return nil, &call.Error{
		Kind: call.NotFound,
		Msg:  fmt.Sprintf("No call %.80q in the files of %s.", id.Key, s.name),
		Hint: "Ids come from list_call_logs and search_transcripts.",
	}
}
