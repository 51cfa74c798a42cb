package store

import (
	"maps"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// A slot is one numbered field of a record.
type slot struct {
	has   func(*call.Log) bool
	write func(*writer, *call.Log) error
	read  func(*reader, *call.Log)
}

// layout numbers the fields of a record by their place here. A number is never
// used for anything else again: append, and leave a hole where one goes.
var layout = []slot{
	{},
	text(func(l *call.Log) *string { return &l.ID.Source }),
	text(func(l *call.Log) *string { return &l.ID.Key }),
	text(func(l *call.Log) *string { return &l.CallID }),
	text(func(l *call.Log) *string { return &l.AgentID }),
	text(func(l *call.Log) *string { return &l.AgentName }),
	text(func(l *call.Log) *string { return &l.ProjectID }),
	text(func(l *call.Log) *string { return &l.AssistantID }),
	instant(func(l *call.Log) *time.Time { return &l.StartedAt }),
	instant(func(l *call.Log) *time.Time { return &l.EndedAt }),
	instant(func(l *call.Log) *time.Time { return &l.CreatedAt }),
	instant(func(l *call.Log) *time.Time { return &l.UpdatedAt }),
	pointer(func(l *call.Log) **time.Duration { return &l.Duration }, (*writer).span, (*reader).span),
	pointer(func(l *call.Log) **bool { return &l.Success }, (*writer).bool, (*reader).bool),
	text(func(l *call.Log) *string { return &l.Status }),
	pointer(func(l *call.Log) **bool { return &l.Reviewed }, (*writer).bool, (*reader).bool),
	text(func(l *call.Log) *string { return &l.Feedback }),
	text(func(l *call.Log) *string { return &l.EndedReason }),
	text(func(l *call.Log) *string { return &l.Topic }),
	text(func(l *call.Log) *string { return &l.DropoffPoint }),
	text(func(l *call.Log) *string { return &l.ErrorMessage }),
	text(func(l *call.Log) *string { return &l.Summary }),
	text(func(l *call.Log) *string { return &l.Sentiment }),
	text(func(l *call.Log) *string { return &l.Customer }),
	text(func(l *call.Log) *string { return &l.Direction }),
	text(func(l *call.Log) *string { return &l.CallType }),
	pointer(func(l *call.Log) **float64 { return &l.Cost }, (*writer).num, (*reader).num),
	{func(l *call.Log) bool { return l.Latency != nil }, writeLatency, readLatency},
	{func(l *call.Log) bool { return l.Metrics != nil }, writeMetrics, readMetrics},
	object(func(l *call.Log) *map[string]any { return &l.Metadata }),
	object(func(l *call.Log) *map[string]any { return &l.DynamicVariables }),
	{func(l *call.Log) bool { return l.Turns != nil }, writeTurns, readTurns},
	text(func(l *call.Log) *string { return &l.TraceID }),
	text(func(l *call.Log) *string { return &l.RecordingURL }),
	text(func(l *call.Log) *string { return &l.DashboardURL }),
	flag(func(l *call.Log) *bool { return &l.Sensitive }),
	flag(func(l *call.Log) *bool { return &l.Detailed }),
	text(func(l *call.Log) *string { return &l.Evaluation }),
}

func text(at func(*call.Log) *string) slot {
	return slot{
		func(l *call.Log) bool { return *at(l) != "" },
		func(w *writer, l *call.Log) error { w.text(*at(l)); return nil },
		func(r *reader, l *call.Log) { *at(l) = r.text() },
	}
}

func instant(at func(*call.Log) *time.Time) slot {
	return slot{
		func(l *call.Log) bool { return !at(l).IsZero() },
		func(w *writer, l *call.Log) error { w.time(*at(l)); return nil },
		func(r *reader, l *call.Log) { *at(l) = r.time() },
	}
}

func flag(at func(*call.Log) *bool) slot {
	return slot{
		func(l *call.Log) bool { return *at(l) },
		func(*writer, *call.Log) error { return nil },
		func(_ *reader, l *call.Log) { *at(l) = true },
	}
}

func pointer[T any](at func(*call.Log) **T, write func(*writer, T), read func(*reader) T) slot {
	return slot{
		func(l *call.Log) bool { return *at(l) != nil },
		func(w *writer, l *call.Log) error { write(w, **at(l)); return nil },
		func(r *reader, l *call.Log) { *at(l) = new(read(r)) },
	}
}

func object(at func(*call.Log) *map[string]any) slot {
	return slot{
		func(l *call.Log) bool { return *at(l) != nil },
		func(w *writer, l *call.Log) error { return w.object(*at(l)) },
		func(r *reader, l *call.Log) { *at(l) = r.object(0) },
	}
}

// optional writes which of some pointers are set, in the bits of one byte.
func optional(set ...bool) byte {
	var b byte
	for i, is := range set {
		if is {
			b |= 1 << i
		}
	}
	return b
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

// durations are the figures of a latency by their bits. Those of before have the
// first two alone.
func durations(p *call.Latency) []**time.Duration {
	return []**time.Duration{&p.P50, &p.P95, &p.P90, &p.P99, &p.Min, &p.Max}
}

func writeLatency(w *writer, l *call.Log) error {
	w.uint(uint64(len(l.Latency)))
	for _, stage := range slices.Sorted(maps.Keys(l.Latency)) {
		p := l.Latency[stage]
		w.text(stage)
		set := make([]bool, 0, 7)
		for _, d := range durations(&p) {
			set = append(set, *d != nil)
		}
		w.b = append(w.b, optional(append(set, p.N > 0)...))
		for _, d := range durations(&p) {
			if *d != nil {
				w.span(**d)
			}
		}
		if p.N > 0 {
			w.uint(uint64(p.N))
		}
	}
	return nil
}

func readLatency(r *reader, l *call.Log) {
	n := r.count()
	l.Latency = make(map[string]call.Latency, n)
	for range n {
		stage, has := r.text(), r.byte()
		var p call.Latency
		for i, d := range durations(&p) {
			if has&(1<<i) != 0 {
				*d = new(r.span())
			}
		}
		if has&64 != 0 {
			p.N = int(r.uint())
		}
		l.Latency[stage] = p
	}
}

func writeMetrics(w *writer, l *call.Log) error {
	w.uint(uint64(len(l.Metrics)))
	for i := range l.Metrics {
		m := &l.Metrics[i]
		w.b = append(w.b, optional(m.Score != nil, m.Passed != nil, m.Passed != nil && *m.Passed, m.Explanation != nil, m.Value != ""))
		w.text(m.ID)
		w.text(m.Name)
		w.text(m.Type)
		if m.Score != nil {
			w.num(*m.Score)
		}
		if m.Value != "" {
			w.text(m.Value)
		}
		if m.Explanation != nil {
			w.uint(uint64(len(m.Explanation)))
			for _, s := range m.Explanation {
				w.text(s)
			}
		}
	}
	return nil
}

func readMetrics(r *reader, l *call.Log) {
	l.Metrics = make([]call.Metric, r.count())
	for i := range l.Metrics {
		has := r.byte()
		m := call.Metric{ID: r.text(), Name: r.text(), Type: r.text()}
		if has&1 != 0 {
			m.Score = new(r.num())
		}
		if has&2 != 0 {
			m.Passed = new(has&4 != 0)
		}
		if has&16 != 0 {
			m.Value = r.text()
		}
		if has&8 != 0 {
			m.Explanation = make([]string, r.count())
			for k := range m.Explanation {
				m.Explanation[k] = r.text()
			}
		}
		l.Metrics[i] = m
	}
}

// roles are written as their number, others as text behind a zero.
var roles = []call.Role{"", call.RoleAgent, call.RoleCaller, call.RoleTool, call.RoleSystem}

// judged marks the verdict of a tool's result that call.JudgeResult gave. Records
// of before have none, and are judged anew as they are read.
const judged = 2

// writeTurns writes times as what has passed since the time before.
func writeTurns(w *writer, l *call.Log) error {
	w.uint(uint64(len(l.Turns)))
	var last time.Duration
	since := func(d *time.Duration) {
		if d != nil {
			w.span(*d - last)
			last = *d
		}
	}
	for i := range l.Turns {
		t := &l.Turns[i]
		role := max(0, slices.Index(roles, t.Role))
		w.b = append(w.b, byte(role)<<4|optional(t.Start != nil, t.End != nil, t.Tool != nil, t.Index != i+1))
		if role == 0 {
			w.text(string(t.Role))
		}
		if t.Index != i+1 {
			w.int(int64(t.Index))
		}
		since(t.Start)
		since(t.End)
		w.text(t.Text)
		if t.Tool != nil {
			w.b = append(w.b, judged|optional(t.Tool.Failed, false, t.Tool.Succeeded))
			w.text(t.Tool.Name)
			w.text(t.Tool.Args)
			w.text(t.Tool.Result)
		}
	}
	return nil
}

func readTurns(r *reader, l *call.Log) {
	l.Turns = make([]call.Turn, r.count())
	var last time.Duration
	for i := range l.Turns {
		has := r.byte()
		t := call.Turn{Index: i + 1}
		if role := int(has >> 4); role > 0 && role < len(roles) {
			t.Role = roles[role]
		} else {
			t.Role = call.Role(r.text())
		}
		if has&8 != 0 {
			t.Index = int(r.int())
		}
		if has&1 != 0 {
			last += r.span()
			t.Start = new(last)
		}
		if has&2 != 0 {
			last += r.span()
			t.End = new(last)
		}
		t.Text = r.text()
		if has&4 != 0 {
			verdict := r.byte()
			t.Tool = &call.Tool{Name: r.text(), Args: r.text(), Result: r.text()}
			t.Tool.Failed, t.Tool.Succeeded = verdict&1 != 0, verdict&4 != 0
			if verdict&judged == 0 {
				t.Tool.Failed = call.JudgeResult(t.Tool.Result) == call.ToolFailed
			}
		}
		l.Turns[i] = t
	}
}
