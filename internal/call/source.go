package call

import (
	"context"
	"time"

	"call-logs-mcp/internal/filter"
)

// A Query asks for call logs. The zero Query asks for the newest.
type Query struct {
	Where filter.Expr // over Fields, all times absolute
	Text  *Text       // only calls whose transcript matches; nil for all
	Role  Role        // whose words Text is looked for in; "" for everybody's
	Order Order
	// Similar asks for calls like this one, by what was said; it needs a source
	// that ranks, and Order Relevance.
	Similar *ID
	// View says what of calls may be seen: Text and Similar are put to that, and so
	// are conditions of Where with the same View. Nil is all of them.
	View  *View
	Limit int   // at most this many logs; 0 is DefaultLimit
	After *Mark // continue behind this position of Order; nil from the start

	// Within is what the source is configured to read, which Where says as well:
	// Collect leaves out what a source sends from outside of it, and says how much.
	// Confine sets it.
	Within filter.Expr

	// Need is what of each call the answer shows. A source may leave the rest blank; what
	// masks calls does, since it does not mask it.
	Need Need

	// Scan bounds how many calls a source may read from its upstream to answer,
	// 0 is DefaultScan. Exhaust reads on past Limit, within Scan, so that
	// Page.Total is known although the upstream cannot count. Count wants the
	// total, too, but only where it takes no further reading.
	Scan    int
	Exhaust bool
	Count   bool

	Progress Progress // of an answer that has to wait; nil for nobody
}

// A Need is what of the calls of a Page is looked at.
type Need int

const (
	NeedAll Need = iota
	// NeedRow is a row of a list: of what was said Log.Opening and the number and
	// roles of the turns, and neither explanations of metrics nor what stands behind
	// keys.
	NeedRow
)

// A Progress hears how far an answer is that waits for calls to be fetched:
// done of total calls, total 0 where nobody knows it, and what is being done, in
// words. Find calls it before it returns, on its own goroutine, at most twice a
// second, each time with a larger done; an answer that is there at once does not.
//
// The calls are those of the windows that are fetched, not those that match: who
// may see only some calls must not hear it.
type Progress func(done, total int, note string)

// The defaults of a Query.
const (
	DefaultLimit = 20
	DefaultScan  = 5000
)

// A Page is one answer to a Query.
type Page struct {
	Logs     []*Log
	Hits     []Hit // one for each of Logs where the Query had a Text
	Next     *Mark // nil at the end
	Total    *int  // of the whole query, not of the page; nil where nobody knows
	Window   Window
	Coverage Coverage
	Notes    []string // what the reader has to know to believe the answer
	Cut      error    // the failure that ended the page early, for who asks on; a note says it, too

	AsOf   time.Time // a copy answered, which was true then; zero for the upstream itself
	Ranked int       // by Relevance: only the newest Ranked matches were ranked; 0 for all
	Clock  time.Time // the upstream's own time when it answered, for sync; zero if unknown
}

// A Hit is where a call's transcript matched.
type Hit struct {
	Turns []int   // the numbers of the turns that match
	Score float64 // by Relevance, the larger the better; else 0
	Text  *Text   // what they match: that of the Query, or what a Ranker made of it, with inflections
}

// A Window is a span of time, From included. A zero bound is open.
type Window struct{ From, To time.Time }

// Coverage says how much of what was asked about has been looked at.
type Coverage struct {
	Calls    *int      // in the window, after what the upstream filters; nil if unknown
	Searched int       // calls that were read
	Complete bool      // everything was looked at that had to be
	Back     time.Time // where reading stopped, if it is not complete

	// Missing names the sources that did not answer, so that it is not Complete.
	// Others says that everything was looked at of those that did.
	Missing []string
	Others  bool

	// Until is where a mirror's reading ends, where that is all that it is not
	// Complete for. Stuck says that a narrower window would be no more complete:
	// an upstream is down or repeats itself, or its calls are on their way.
	Until time.Time
	Stuck bool
}

// A Source answers queries about call logs. Every provider is one, and so is
// Merge of several. All failures are Errors, one of kind Canceled among them.
// The logs are shared by all who ask and read-only: who changes one copies it,
// as MapText does. package calltest holds the contract as a suite.
type Source interface {
	// Find returns the logs that match q, in q.Order, at most q.Limit. A walk
	// that hands Page.Next to Query.After meets each match that was there all
	// along exactly once, whatever arrives or vanishes meanwhile.
	Find(ctx context.Context, q Query) (Page, error)
	// Get returns one log with everything that the source knows of it. The key
	// may also be the provider's CallID.
	Get(ctx context.Context, id ID) (*Log, error)
}

// A Ranker is a Source that knows the Order Relevance and Query.Similar.
type Ranker interface {
	Source
	Ranks() bool
}

// A Locator is a Source over upstreams that are dear to ask, which may know
// without asking them what there is.
type Locator interface {
	Source
	// Locate reports whether there is a call of this id, or CallID, that matches
	// where; it is not known where only the upstream can tell. It takes the same
	// work for a call that does not match as for one that is not there.
	Locate(ctx context.Context, id ID, where filter.Expr) (there, known bool)
}

// Has reports whether src has a call of this id, or CallID, that matches where. It
// asks for both, found or not, so that neither takes longer.
func Has(ctx context.Context, src Source, id ID, where filter.Expr) (there bool, err error) {
	for _, field := range []string{"id", "call_id"} {
		page, err := src.Find(ctx, Query{Limit: 1, Where: filter.All(
			filter.Cond{Field: "source", Op: filter.Eq, Value: id.Source}, filter.Cond{Field: field, Op: filter.Eq, Value: id.Key}, where,
		)})
		if err != nil {
			return false, err
		}
		there = there || len(page.Logs) > 0
	}
	return there, nil
}

// A Withholder is a Source that keeps what was said from some who ask.
type Withholder interface {
	Source
	// Withheld names what it takes to read it, such as a scope; "" where nothing
	// is withheld from who asks.
	Withheld(ctx context.Context) string
}

// Withheld is what src lacks to show what was said to who asks, "" for nothing.
func Withheld(ctx context.Context, src Source) string {
	if w, ok := src.(Withholder); ok {
		return w.Withheld(ctx)
	}
	return ""
}

// Ranks reports whether src knows the Order Relevance.
func Ranks(src Source) bool {
	r, ok := src.(Ranker)
	return ok && r.Ranks()
}
