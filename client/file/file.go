// Package file answers from files of calls, for exports and for evaluation: JSON
// lines, lists and whole documents, of our own record format or as vendors and
// frameworks write them, and transcripts in text; plain or gzipped, UTF-8 or
// UTF-16. Everything is read into memory when the source is opened, so it suits
// some ten thousand calls, and files that change are not noticed.
package file

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// Open is OpenIn where times without an offset are in UTC.
func Open(name string, paths ...string) (call.Source, error) {
	return OpenIn(time.UTC, name, paths...)
}

// OpenIn reads the files at paths as one source, whose ids begin with name; times
// without an offset are in zone. What cannot be read costs its record alone, and
// every answer says so; a file in which nothing can be read is an error. Errors
// are for the operator: they name the file, the line, and what is wrong there.
// Several files together hold at most 2 GiB, uncompressed.
func OpenIn(zone *time.Location, name string, paths ...string) (call.Source, error) {
	r := reader{name: name, zone: zone, left: maxBytes, at: map[string]int{}}
	for _, path := range paths {
		if err := r.take(path); err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
	}
	// The order that is asked for most: sorting what is sorted costs little.
	slices.SortFunc(r.logs, call.Newest.Compare)
	s := &source{name: name, logs: r.logs, byKey: map[string]*call.Log{}, gap: r.gap()}
	s.undated = slices.ContainsFunc(r.logs, func(l *call.Log) bool { return l.StartedAt.IsZero() })
	for _, l := range slices.Backward(r.logs) { // of equal call ids, the newest
		s.byKey[l.CallID] = l
	}
	for _, l := range r.logs { // a key wins over the call id of another
		s.byKey[l.ID.Key] = l
	}
	return s, nil
}

// gap says what could not be read, "" where all could.
func (r *reader) gap() string {
	switch {
	case r.unread == 0:
		return ""
	case r.unread == 1:
		return fmt.Sprintf("1 record of the files of %s could not be read and is in no answer: %s", r.name, r.reasons[0])
	}
	rest := ""
	if more := r.unread - len(r.reasons); more > 0 {
		rest = fmt.Sprintf("; and %d more", more)
	}
	return fmt.Sprintf("%d records of the files of %s could not be read and are in no answer: %s%s", r.unread, r.name, strings.Join(r.reasons, "; "), rest)
}

// A source has no default window: a question without time bounds is about
// every call, and only such a question meets those without a start time.
type source struct {
	name  string
	logs  []*call.Log          // newest first
	byKey map[string]*call.Log // and by CallID
	gap   string               // what could not be read

	undated bool // some calls have no start time
}

func (s *source) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, err := call.Sorted(ctx, q, s.logs)
	if err != nil {
		return p, err
	}
	if s.gap != "" {
		p.Notes = append(p.Notes, s.gap)
	}
	if s.undated {
		if note := call.Undated(func(q call.Query) (call.Page, error) { return call.Sorted(ctx, q, s.logs) }, q.Where); note != "" {
			p.Notes = append(p.Notes, note)
		}
	}
	return p, err
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
