package demo

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// The roles of a Turn, in Cekura's words.
const (
	RoleAgent  = "Main Agent"
	RoleCaller = "Testing Agent"
	RoleTool   = "Function Call"
	RoleResult = "Function Call Result"
)

// A Call is one production call as Cekura knows it. Empty texts and nil maps
// go out as null.
type Call struct {
	ID          int
	CallID      string
	Project     int // 0 is the API's own
	Agent       int
	AgentName   string
	AssistantID string // what assistant_id selects; no answer shows it
	TraceID     string

	Timestamp time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
	Seconds   float64 // how long the call took

	Success    *bool // nil until it is evaluated
	Reviewed   bool
	Feedback   string
	Evaluation string

	EndedReason  string
	Customer     string
	Topic        string
	DropoffPoint string
	ErrorMessage string
	Critical     []string

	Metadata         map[string]any
	DynamicVariables map[string]any
	Metrics          []Metric
	Turns            []Turn
}

// A Turn is one entry of transcript_object. Start and End are seconds.
type Turn struct {
	Role       string
	Content    string
	Start, End float64
	Tool       *Tool // of the two function roles
}

// A Tool is the data of a function call, which has Arguments, or of its
// result, which has Result.
type Tool struct {
	ID        string
	Name      string
	Arguments string // JSON
	Result    string
	Failed    bool // the result is an error; no answer says so
}

// A Metric is one evaluation. Enum metrics have a Value and no Score.
type Metric struct {
	ID          int
	Name        string
	Type        string // binary, continuous, numeric or enum
	Score       float64
	Value       string
	Explanation []string
}

// Passed tells whether a binary metric passed; ok is false for the others,
// which have no such thing.
func (m Metric) Passed() (passed, ok bool) {
	return m.Score > 0, m.Type == "binary"
}

// A record is a Call in the store. It is never changed, only replaced.
type record struct {
	Call
	item atomic.Pointer[[]byte] // the list item's JSON, made when first wanted
}

// newestFirst is the order of the list.
func newestFirst(a, b *record) int {
	return cmp.Or(b.Timestamp.Compare(a.Timestamp), cmp.Compare(b.ID, a.ID))
}

// Calls returns a copy of the calls, newest first. Their maps and slices are
// shared and must not be changed.
func (a *API) Calls() []Call {
	all := a.records()
	out := make([]Call, len(all))
	for i, r := range all {
		out[i] = r.Call
	}
	return out
}

// Insert adds a call and returns its id, which is the next free one if c has
// none, or one that is taken. Without Project and times of the record it gets
// the usual ones.
func (a *API) Insert(c Call) int {
	a.load()
	a.mu.Lock()
	defer a.mu.Unlock()
	top, taken := 0, c.ID == 0
	for _, r := range a.all {
		top = max(top, r.ID)
		taken = taken || r.ID == c.ID
	}
	if taken {
		c.ID = top + 1
	}
	if c.Project == 0 {
		c.Project = Project
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = c.Timestamp.Add(lasted(c.Seconds))
	}
	if c.UpdatedAt.IsZero() {
		c.UpdatedAt = c.CreatedAt
	}
	r := &record{Call: c}
	i, _ := slices.BinarySearchFunc(a.all, r, newestFirst)
	a.all = slices.Insert(slices.Clone(a.all), i, r)
	return c.ID
}

// Update lets change edit the call with this id, and reports whether there is
// one. The id itself stays.
func (a *API) Update(id int, change func(*Call)) bool {
	a.load()
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.all, func(r *record) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	r := &record{Call: a.all[i].Call}
	change(&r.Call)
	r.ID = id
	all := slices.Clone(a.all)
	all[i] = r
	slices.SortFunc(all, newestFirst)
	a.all = all
	return true
}

// Delete removes the call with this id, and reports whether there was one.
func (a *API) Delete(id int) bool {
	a.load()
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.all, func(r *record) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	a.all = slices.Delete(slices.Clone(a.all), i, i+1)
	return true
}

// records returns the calls, newest first; nobody changes the slice.
func (a *API) records() []*record {
	a.load()
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.all
}
