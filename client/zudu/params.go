package zudu

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"call-logs-mcp/internal/filter"
)

// question is the body of POST /api/calls.
type question struct {
	Page      int       `json:"page"` // from 0
	Limit     int       `json:"limit"`
	SortBy    string    `json:"sort_by"`
	SortOrder string    `json:"sort_order"`
	Criteria  *criteria `json:"filter_criteria,omitempty"`
}

// criteria are what the API can filter by. All of it may let calls pass that do
// not match, as all is matched here once more, but must never keep one away
// that does.
//
// The API's transcript_search is left out on purpose: nobody says in which of a
// call's three transcripts it looks, for words or parts of words, or how it
// takes accents and punctuation, so that it could keep matches away.
type criteria struct {
	Status   []string   `json:"call_status,omitempty"`
	Type     []string   `json:"call_type,omitempty"`
	Agents   []string   `json:"agent_id,omitempty"`
	Duration *threshold `json:"duration_ms,omitempty"`
}

type threshold struct {
	Lower *int64 `json:"lower_threshold,omitempty"`
	Upper *int64 `json:"upper_threshold,omitempty"`
}

func (c criteria) empty() bool {
	return c.Status == nil && c.Type == nil && c.Agents == nil && c.Duration == nil
}

// String is the criteria as JSON.
func (c criteria) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic("zudu: criteria that JSON cannot hold: " + err.Error())
	}
	return string(b)
}

// hear returns what of where the API can be told, and what it cannot.
func hear(where filter.Expr) (c criteria, left filter.Expr) {
	_, left = filter.Split(where, func(x filter.Expr) bool {
		cond, ok := x.(filter.Cond)
		return ok && cond.View == nil && c.hear(cond)
	})
	return c, left
}

// hear adds a condition, if the API understands it and nothing else was said
// about the same field.
func (c *criteria) hear(x filter.Cond) bool {
	switch x.Field {
	case "status":
		return enum(&c.Status, x, "registered", "ongoing", "ended", "error", "scheduled")
	case "call_type":
		return enum(&c.Type, x, "phone_call", "web_call")
	case "agent.id":
		ids, ok := words(x)
		if !ok || c.Agents != nil {
			return false
		}
		c.Agents = ids
		return true
	case "duration":
		return c.hearDuration(x)
	}
	return false
}

// enum tells an enum in both cases that the API was seen to use. What is none
// of its values is left to us.
func enum(to *[]string, x filter.Cond, known ...string) bool {
	values, ok := words(x)
	if !ok || *to != nil {
		return false
	}
	var both []string
	for _, v := range values {
		if !slices.Contains(known, v) {
			return false
		}
		both = append(both, strings.ToUpper(v), v)
	}
	*to = both
	return true
}

// words are the texts that x asks for one of.
func words(x filter.Cond) (words []string, ok bool) {
	list, isList := x.Value.([]any)
	switch {
	case x.Op == filter.Eq:
		list = []any{x.Value}
	case x.Op != filter.In || !isList:
		return nil, false
	}
	for _, v := range list {
		switch v := v.(type) {
		case nil: // equals nothing
		case string:
			if v != "" {
				words = append(words, v)
			}
		default:
			return nil, false
		}
	}
	return words, len(words) > 0
}

// hearDuration takes a bound of the length, a millisecond wider than it is:
// nobody says whether the thresholds are included.
func (c *criteria) hearDuration(x filter.Cond) bool {
	seconds, ok := x.Value.(float64)
	if !ok || seconds < 0 || seconds > 1e9 {
		return false
	}
	lower := max(0, int64(math.Floor(seconds*1000))-1)
	upper := int64(math.Ceil(seconds*1000)) + 1
	t := threshold{}
	if c.Duration != nil {
		t = *c.Duration
	}
	switch x.Op {
	case filter.Gt, filter.Gte:
		t.Lower = higher(t.Lower, lower)
	case filter.Lt, filter.Lte:
		t.Upper = lesser(t.Upper, upper)
	case filter.Eq:
		t.Lower, t.Upper = higher(t.Lower, lower), lesser(t.Upper, upper)
	default:
		return false
	}
	c.Duration = &t
	return true
}

func higher(p *int64, n int64) *int64 {
	if p != nil {
		n = max(*p, n)
	}
	return &n
}

func lesser(p *int64, n int64) *int64 {
	if p != nil {
		n = min(*p, n)
	}
	return &n
}

// maxNamed is how many calls are fetched one by one.
const maxNamed = 20

// named is the keys that where asks for, nil where it does not ask for some.
func named(where filter.Expr) (keys []string) {
	filter.Split(where, func(x filter.Expr) bool {
		cond, _ := x.(filter.Cond)
		if ids, ok := words(cond); ok && cond.Field == "id" && len(ids) <= maxNamed {
			keys = ids
		}
		return false
	})
	return keys
}
