package mirror

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A state is how far the sync of a source has come. It is written with the
// calls that it speaks of, in one transaction.
type state struct {
	Horizon  time.Time `json:"horizon"`  // what the last full reading went back to
	Frontier time.Time `json:"frontier"` // everything from Horizon to here was read
	IDs      int64     `json:"ids"`      // and every call that had a key up to this, as of a cycle that was completed
	Top      int64     `json:"top"`      // the highest key ever read
	Read     time.Time `json:"read"`     // when the last reading began; the next begins later

	Skew time.Duration `json:"skew"` // how far the upstream's clock is ahead of ours

	Near time.Time `json:"near"` // when the last reading of 14 days began
	Far  time.Time `json:"far"`  // and of everything

	Cycle   *cycle               `json:"cycle,omitempty"`   // the one under way
	Late    []late               `json:"late,omitempty"`    // calls whose evaluation is waited for
	Missing map[string]time.Time `json:"missing,omitempty"` // keys, with start times, that were absent where they should be
	Held    *Hold                `json:"held,omitempty"`
	Owed    int                  `json:"owed,omitempty"` // details yet to be fetched, at the least

	Withheld map[string]int64 `json:"withheld,omitempty"` // keys, with starts in Unix seconds, of what was read and must not be stored
	Untold   int64            `json:"untold,omitempty"`   // calls that began up to here may be missing in Withheld
}

// A cycle is where one is, so that a crash costs a leaf and not a cycle.
type cycle struct {
	Began  time.Time `json:"began"`
	From   int64     `json:"from"`     // Unix seconds
	Newest int64     `json:"newest"`   // the key up to which it will have read everything
	IDFrom int64     `json:"id_from"`  // the key from which the second pass reads
	Ids    bool      `json:"pass_ids"` // the second pass is on
	At     int64     `json:"at"`       // what lies before was read in this pass
	AtID   int64     `json:"at_id"`    // and of second At what has a lower key; 0 for nothing
	Stored int       `json:"stored"`   // calls the copy had in what was read
	Near   bool      `json:"near"`     // it reads 14 days
	Far    bool      `json:"far"`      // it reads everything
}

// A late call was not evaluated when it was found.
type late struct {
	Key   string    `json:"key"`
	Start time.Time `json:"start"`
	Tries int       `json:"tries"`
	Due   time.Time `json:"due"`
}

// A Hold says that calls vanished in a way that nobody should believe at once.
// The copy keeps them, and looks again a day later and once more the day after.
type Hold struct {
	Source   string    `json:"source"`
	Calls    int       `json:"calls"` // how many are kept that upstream does not show
	Since    time.Time `json:"since"`
	Last     time.Time `json:"last"` // when they were last looked for
	Seen     int       `json:"seen"` // how often they were found gone
	Released bool      `json:"released,omitempty"`
}

func (h Hold) String() string {
	return fmt.Sprintf("%s no longer shows %d calls, as was seen first on %s; they are kept until that is certain", h.Source, h.Calls, h.Since.UTC().Format(time.DateOnly))
}

func parseState(b []byte) (*state, error) {
	s := &state{}
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("mirror: the state of the sync cannot be read: %w", err)
	}
	return s, nil
}

func (s *state) bytes() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("mirror: a state that JSON cannot hold: " + err.Error())
	}
	return b
}

// clone is for changes that count only once they are written.
func (s *state) clone() *state {
	out := *s
	out.Late = slices.Clone(s.Late)
	out.Missing, out.Withheld = maps.Clone(s.Missing), maps.Clone(s.Withheld)
	if s.Cycle != nil {
		c := *s.Cycle
		out.Cycle = &c
	}
	if s.Held != nil {
		h := *s.Held
		out.Held = &h
	}
	return &out
}

// maxMissing bounds how many absent calls are remembered. More are held anyway.
const maxMissing = 5000

// miss notes that a call was absent where it should be.
func (s *state) miss(key string, start time.Time) {
	if s.Missing == nil {
		s.Missing = map[string]time.Time{}
	}
	if len(s.Missing) < maxMissing {
		s.Missing[key] = start
	}
}
