// Package call is the domain: what a call log is, how one asks for some, and
// what can answer. It knows no provider, no storage and no MCP.
//
// Missing is not zero. What a provider does not say stays nil, empty or the
// zero time, and is left out of every answer.
package call

import "time"

// An ID names one call at one source, written "cekura/48213".
type ID struct {
	Source string // the configured name of an upstream
	Key    string // the upstream's own key of the record
}

func (id ID) String() string { return id.Source + "/" + id.Key }

// A Log is the record of one call.
type Log struct {
	ID          ID
	CallID      string // the provider's other identifier of the call
	AgentID     string
	AgentName   string
	ProjectID   string
	AssistantID string

	StartedAt time.Time
	EndedAt   time.Time
	CreatedAt time.Time // of the record, as is UpdatedAt
	UpdatedAt time.Time
	Duration  *time.Duration

	Success      *bool // nil where nobody judged the call
	Status       string
	Reviewed     *bool
	Feedback     string
	EndedReason  string
	Topic        string
	DropoffPoint string
	ErrorMessage string
	Summary      string
	Evaluation   string // what the judges wrote, beside Metrics; text or JSON
	Sentiment    string

	Customer  string // the other party's number or identifier
	Direction string // inbound or outbound
	CallType  string

	Cost             *float64           // in the provider's currency
	Latency          map[string]Latency // by stage: e2e, llm, tts, …
	Metrics          []Metric
	Metadata         map[string]any
	DynamicVariables map[string]any

	Turns        []Turn // in order of time; Turns[i].Index is i+1
	TraceID      string
	RecordingURL string
	DashboardURL string

	Sensitive bool     // may be shown, must not be stored
	Notes     []string `json:",omitempty"` // of the answer, not of the call: what the reader has to know to believe it
	Detailed  bool     // has what only the record of one call carries: Metadata, DynamicVariables, explanations
}

// A Role says who speaks in a Turn.
type Role string

// The roles. A speaker is somebody of whom the source does not say who it is:
// whoever looks for what one role said finds it too.
const (
	RoleAgent  Role = "agent"
	RoleCaller Role = "caller"
	RoleTool   Role = "tool"
	RoleSystem Role = "system"

	RoleSpeaker Role = "speaker"
)

// Hears reports whether who looks for what role said, "" being everybody, looks
// at turns of r.
func (role Role) Hears(r Role) bool {
	return role == "" || r == role || r == RoleSpeaker
}

// A Turn is one utterance, or one tool call with its result, of a transcript.
type Turn struct {
	Index int // from 1, stable: it is what answers cite
	Role  Role
	Text  string
	Start *time.Duration // from the start of the call
	End   *time.Duration
	Tool  *Tool
}

// A Tool is a call that the agent made to a program, and what came back.
type Tool struct {
	Name   string
	Args   string // JSON
	Result string // JSON or text; "" where none came
	Failed bool   // the result is an error

	Succeeded bool // its source says so, whatever the words of the result
}

// A Metric is one evaluation of a call.
type Metric struct {
	ID          string
	Name        string
	Type        string // binary, continuous, numeric, enum, …
	Score       *float64
	Value       string // of an enum
	Passed      *bool  // nil where neither the type nor a rubric decides
	Explanation []string
}

// A Latency is how long one stage of the agent's answers took, and how often it
// was measured, 0 where nobody says.
type Latency struct {
	P50, P90, P95, P99, Min, Max *time.Duration
	N                            int
}

// Figures are the durations of p that are known, by their names.
func (p Latency) Figures() map[string]time.Duration {
	m := map[string]time.Duration{}
	for name, d := range map[string]*time.Duration{"p50": p.P50, "p90": p.P90, "p95": p.P95, "p99": p.P99, "min": p.Min, "max": p.Max} {
		if d != nil {
			m[name] = *d
		}
	}
	return m
}
