package call

import (
	"context"
	"time"

	"call-logs-mcp/internal/filter"
)

// A Unit cuts time into buckets, by the calendar of a zone.
type Unit string

// The units. A week begins on Monday.
const (
	Hour  Unit = "hour"
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
)

// A Grouping is one level of groups: the values of a field of Fields, or, where
// Unit is set, buckets of the start time. A call with several values of a field
// (its metrics) counts in the group of each, once.
type Grouping struct {
	Field string
	Unit  Unit
}

// An Aggregation asks for counts and lengths instead of calls.
type Aggregation struct {
	Where    filter.Expr
	By       []Grouping     // at most two levels; none for the totals alone
	Zone     *time.Location // of the buckets; nil is UTC
	View     *View          // what groups see of calls, as in Query
	Previous bool           // also for the window of equal length just before
	Limit    int            // groups, 0 is 20; the others are summed up
	Scan     int            // calls read where a source has to read them, as in Query
	Progress Progress       // as in Query
}

// Stats are the figures of one group. Durations are nil where no call has one.
// Percentiles are exact, interpolated linearly between the closest ranks.
type Stats struct {
	Calls     int
	Evaluated int // calls with a judged outcome
	Successes int
	Mean      *time.Duration
	P50, P95  *time.Duration
}

// A Group is the figures of the calls that share a key: one value for each
// level, as Cell writes it.
type Group struct {
	Key      []string
	Stats    Stats
	Previous *Stats // nil where it was not asked for
}

// An Aggregate is the answer to an Aggregation: the largest groups, or, where the
// first level is time, all of them in its order up to the limit, newest kept.
type Aggregate struct {
	Groups      []Group
	Total       Group  // over all calls, each once
	Others      *Group // what the groups cut off hold together; nil where none was
	OtherGroups int    // how many those are
	Window      Window
	Before      *Window // what Previous is of
	Coverage    Coverage
	AsOf        time.Time
	Notes       []string
}

// An Aggregator is a Source that counts without handing out the calls.
type Aggregator interface {
	Source
	Aggregate(ctx context.Context, a Aggregation) (Aggregate, error)
}

// Absent is the key of calls that lack a value.
const Absent = "(absent)"
