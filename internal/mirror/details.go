package mirror

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// wants reports whether the full record of l is to be fetched.
func (d Details) wants(l *call.Log) bool {
	return d == All || d == Failed && l.Success != nil && !*l.Success
}

// reconcile is what to store of l, which was just read and of which the copy
// has row. A list's row does not wipe out what the full record said, as long as
// the record is the same; else the full one is owed again.
func (s *syncer) reconcile(ctx context.Context, l *call.Log, row store.Row) (*call.Log, error) {
	if l.Detailed || l.Sensitive {
		delete(s.owed, l.ID.Key)
		return l, nil
	}
	if row.Detailed && s.o.Stored != nil {
		was, err := s.o.Stored(ctx, l.ID)
		switch {
		case err != nil && kind(err) != call.NotFound:
			return nil, err
		case err == nil && was.Detailed && facts(was) == facts(l):
			return merged(l, was), nil
		}
	}
	if s.o.Details.wants(l) {
		s.owed[l.ID.Key] = l.StartedAt
	}
	return l, nil
}

// facts is what changes of a record when it changes, as lists show it. Not all
// upstreams say when that was.
func facts(l *call.Log) string {
	metrics := 0
	if l.UpdatedAt.IsZero() {
		metrics = len(l.Metrics)
	}
	return fmt.Sprintf("%d|%s|%s|%s|%d", l.UpdatedAt.UnixMicro(), truth(l.Success), truth(l.Reviewed), l.Feedback, metrics)
}

func truth(b *bool) string {
	if b == nil {
		return "?"
	}
	return fmt.Sprint(*b)
}

// merged is a list's row with what only the full record has.
func merged(l, full *call.Log) *call.Log {
	out := filled(l, full)
	out.Detailed, out.Metadata, out.DynamicVariables = true, full.Metadata, full.DynamicVariables
	return out
}

// filled is l with what it lacks, and another reading of the same call has.
func filled(l, other *call.Log) *call.Log {
	out := *l
	for _, p := range []struct{ to, from *string }{
		{&out.RecordingURL, &other.RecordingURL}, {&out.TraceID, &other.TraceID}, {&out.Summary, &other.Summary},
		{&out.ErrorMessage, &other.ErrorMessage}, {&out.AssistantID, &other.AssistantID}, {&out.AgentName, &other.AgentName},
		{&out.ProjectID, &other.ProjectID}, {&out.AgentID, &other.AgentID}, {&out.DashboardURL, &other.DashboardURL},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	if len(out.Turns) == 0 {
		out.Turns = other.Turns
	}
	if out.Latency == nil {
		out.Latency = other.Latency
	}
	out.Sensitive = l.Sensitive || other.Sensitive
	out.Metrics = slices.Clone(l.Metrics)
	for i := range out.Metrics {
		m := &out.Metrics[i]
		k := slices.IndexFunc(other.Metrics, func(o call.Metric) bool { return o.ID == m.ID && o.Name == m.Name })
		if k < 0 {
			continue
		}
		if m.Explanation == nil {
			m.Explanation = other.Metrics[k].Explanation
		}
		if m.Passed == nil {
			m.Passed = other.Metrics[k].Passed
		}
	}
	return &out
}

// fetchDetails fetches at most limit of the full records that are owed, the
// newest first; 0 is all of them.
func (s *syncer) fetchDetails(ctx context.Context, r *run, limit int) error {
	var keys []string
	err := s.alone(ctx, func() error {
		keys = slices.SortedFunc(maps.Keys(s.owed), func(a, b string) int { return s.owed[b].Compare(s.owed[a]) })
		return nil
	})
	if err != nil {
		return err
	}
	if limit > 0 && len(keys) > limit {
		keys = keys[:limit]
	}
	for i, key := range keys {
		r.tellRecords(i, len(keys))
		if err := s.alone(ctx, func() error { return s.fetchDetail(ctx, r, key) }); err != nil {
			return err
		}
	}
	return s.alone(ctx, func() error {
		if s.st.Owed == len(s.owed) {
			return nil
		}
		next := s.st.clone()
		next.Owed = len(s.owed)
		return s.commit(ctx, r, store.Change{}, next)
	})
}

// fetchDetail fetches one full record. One that is gone is left to the next
// reading of its window.
func (s *syncer) fetchDetail(ctx context.Context, r *run, key string) error {
	if _, still := s.owed[key]; !still {
		return nil
	}
	id := call.ID{Source: s.Name, Key: key}
	var at time.Time
	var l *call.Log
	err := s.try(ctx, r, func() (err error) {
		at = s.begun(s.clock.now(), time.Time{})
		l, err = s.Source.Get(ctx, id)
		return err
	})
	switch {
	case kind(err) == call.NotFound:
		delete(s.owed, key)
		return nil
	case err != nil:
		return err
	}
	return s.putDetail(ctx, r, at, l)
}

// putDetail writes a full record that was read at a time. It may lack what the
// list's row has.
func (s *syncer) putDetail(ctx context.Context, r *run, at time.Time, l *call.Log) error {
	if s.o.Stored != nil {
		if was, err := s.o.Stored(ctx, l.ID); err == nil {
			l = filled(l, was)
		}
	}
	next := s.st.clone()
	if at.After(next.Read) {
		next.Read = at
	}
	delete(next.Missing, l.ID.Key)
	delete(s.owed, l.ID.Key)
	next.Owed = len(s.owed)
	next.withhold([]*call.Log{l})
	return s.commit(ctx, r, store.Change{ReadAt: at, Put: []*call.Log{l}}, next)
}

// keep writes a full record that somebody asked for, so that the next one who
// does is answered from the copy.
func (e *Engine) keep(ctx context.Context, s *syncer, sent time.Time, l *call.Log) {
	r := s.run(nil)
	err := s.alone(ctx, func() error {
		at := s.clock.at(sent, time.Time{}).Truncate(time.Microsecond)
		if !at.After(s.st.Read) || l.StartedAt.Before(s.horizon(s.clock.upstream())) {
			return nil // something newer is known, or it is too old for the copy
		}
		return s.putDetail(ctx, r, at, l)
	})
	var report Report
	report.add(r, nil)
	e.scrub(ctx, report)
	if err != nil && ctx.Err() == nil {
		s.o.Logger.Debug("a record that was read is not kept", "source", s.Name, "err", err)
	}
}
