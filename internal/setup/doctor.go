// Package setup tells the operator whether what they configured works.
package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"call-logs-mcp/internal/call"
)

// A Check is one source to look at.
type Check struct {
	Name   string
	Source call.Source
	Key    string // where its key is, such as CEKURA_API_KEY, and never the key; "" for nowhere in particular
}

// The limits of a check.
const (
	patience = 20 * time.Second // for one source in all
	grace    = time.Second      // for a source to say itself that its time is over
	maxSkew  = time.Minute      // that is no matter yet
)

// A mark is how a part of a check went.
type mark string

const (
	good    mark = "ok"
	wary    mark = "warn" // works, and is worth a look
	bad     mark = "FAIL"
	skipped mark = "-"
)

// A finding is a line of the report: what was looked at, how it went, what there
// is to say, and what to do about it.
type finding struct {
	mark             mark
	about, said, act string
}

// A Finding is what was found of something that is no source.
type Finding struct {
	About  string
	Said   string
	Act    string // what to do about it, "" for nothing
	Failed bool
}

// Write writes f as a line of the report.
func (f Finding) Write(out io.Writer) {
	m := good
	if f.Failed {
		m = bad
	}
	finding{mark: m, about: "integrity", said: f.Said, act: f.Act}.write(out, f.About, len(f.About))
}

// Doctor asks every source for its newest call, all at once and each for 20 s at
// most, and writes to out whether it can be reached, takes the key, agrees on
// the time and shows that call; where not, what to do. It reports whether
// nothing failed. Of an error it writes what a call.Error says to people, so no
// key, and of a call its id and time alone.
func Doctor(ctx context.Context, out io.Writer, checks []Check, now func() time.Time) bool {
	if len(checks) == 0 {
		fmt.Fprintln(out, "There is no source to check.")
		return false
	}
	reports, width := make([]chan []finding, len(checks)), 0
	for i, c := range checks {
		reports[i], width = make(chan []finding, 1), max(width, len(c.Name))
		go func() { reports[i] <- c.run(ctx, now) }()
	}
	failed := 0
	for i, c := range checks {
		name, ok := c.Name, true
		for _, f := range <-reports[i] {
			f.write(out, name, width)
			name, ok = "", ok && f.mark != bad
		}
		if !ok {
			failed++
		}
	}
	if failed > 0 {
		fmt.Fprintf(out, "\n%d of %d sources cannot be read.\n", failed, len(checks))
		return false
	}
	fmt.Fprintf(out, "\nAll is well: %d of %d sources can be read.\n", len(checks), len(checks))
	return true
}

func (f finding) write(out io.Writer, name string, width int) {
	line := fmt.Sprintf("%-*s  %-4s  %-12s  %s", width, plain(name), f.mark, f.about, plain(f.said))
	fmt.Fprintln(out, strings.TrimRight(line, " "))
	if f.act != "" {
		fmt.Fprintf(out, "%*s-> %s\n", width+22, "", plain(f.act))
	}
}

// plain keeps what an upstream said from steering the terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// run gives up on a source that does not mind its context.
func (c Check) run(ctx context.Context, now func() time.Time) []finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan []finding, 1)
	go func() { done <- c.examine(ctx, now) }()
	select {
	case report := <-done:
		return report
	case <-ctx.Done():
	}
	select {
	case report := <-done:
		return report
	case <-time.After(grace):
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return c.unlisted(call.Stopped(ctx.Err()))
		}
		return c.unlisted(&call.Error{Kind: call.Timeout, Msg: fmt.Sprintf("There was no answer within %s.", patience)})
	}
}

func (c Check) examine(ctx context.Context, now func() time.Time) []finding {
	asked := now()
	page, err := c.Source.Find(ctx, call.Query{Limit: 1})
	answered := now()
	if err != nil {
		return c.unlisted(err)
	}
	report := []finding{
		{good, "reachable", fmt.Sprintf("answered in %.1f s", answered.Sub(asked).Seconds()), ""},
		{good, "key", "accepted", ""},
		clock(page.Clock, asked, answered),
	}
	if len(page.Logs) == 0 {
		return append(report, finding{
			wary, "call", "none is listed",
			"Calls of the last weeks should be; check the project and the agents that are configured.",
		})
	}
	id := page.Logs[0].ID
	l, err := c.Source.Get(ctx, id)
	if err != nil {
		e := known(err)
		return append(report, finding{bad, "call", fmt.Sprintf("%s is listed and cannot be read: %s", id, e.Msg), c.advice(e)})
	}
	return append(report, finding{good, "call", fmt.Sprintf("%s of %s, %d turns", l.ID, l.StartedAt.UTC().Format("2006-01-02 15:04 UTC"), len(l.Turns)), ""})
}

// clock compares the upstream's time, which has whole seconds, with ours before
// and after it answered. Files and copies tell none.
func clock(theirs, before, after time.Time) finding {
	var skew time.Duration
	which := "behind"
	switch {
	case theirs.IsZero():
		return finding{skipped, "clock", "not told", ""}
	case theirs.After(after):
		skew = theirs.Sub(after)
	case theirs.Before(before.Add(-time.Second)):
		skew, which = before.Add(-time.Second).Sub(theirs), "ahead"
	}
	switch {
	case skew < time.Second:
		return finding{good, "clock", "the same", ""}
	case skew <= maxSkew:
		return finding{good, "clock", fmt.Sprintf("ours is %.0f s %s", skew.Seconds(), which), ""}
	}
	return finding{
		wary, "clock", fmt.Sprintf("this machine's is %s %s", skew.Round(time.Second), which),
		"Set it, best by NTP: times such as now-1h, and what counts as fresh, are off by as much.",
	}
}

// unlisted reports a source that did not list its newest call.
func (c Check) unlisted(err error) []finding {
	e := known(err)
	failed := finding{bad, "", e.Msg, c.advice(e)}
	rest := []finding{{skipped, "clock", "not checked", ""}, {skipped, "call", "not checked", ""}}
	switch e.Kind {
	case call.Unauthorized, call.Forbidden:
		failed.about = "key"
		return append([]finding{{good, "reachable", "", ""}, failed}, rest...)
	case call.Invalid, call.NotFound, call.RateLimited, call.TooLarge:
		failed.about = "call"
		return []finding{{good, "reachable", "", ""}, {skipped, "key", "not checked", ""}, rest[0], failed}
	}
	failed.about = "reachable"
	return append([]finding{failed, {skipped, "key", "not checked", ""}}, rest...)
}

// known is err as an Error. The words of any other may hold anything.
func known(err error) *call.Error {
	var e *call.Error
	if errors.As(err, &e) {
		return e
	}
	return &call.Error{Kind: call.Unavailable, Msg: fmt.Sprintf("It failed as no source should (%T).", err)}
}

// advice is what the operator can do. Hints are for who asks questions about
// calls, so most failures have another way out here.
func (c Check) advice(e *call.Error) string {
	key := cmp.Or(c.Key, "its key")
	switch e.Kind {
	case call.Unauthorized:
		return "Set " + key + " to a key that is valid: compare it with the provider's dashboard, or make a new one there."
	case call.Forbidden:
		return "Let " + key + " read call logs, at the provider; or configure a project and agents that it may read."
	case call.NotFound, call.Invalid:
		return "Check the base URL, the project and the agents that are configured."
	case call.RateLimited:
		return cmp.Or(e.Hint, "Try again in a minute.")
	case call.Canceled:
		return "Run doctor again."
	case call.Timeout, call.Unavailable:
		return "Check the base URL, and the network from here to there. If both are right, try again in a few minutes."
	case call.TooLarge:
	}
	return cmp.Or(e.Hint, "Run doctor again with --log-level debug.")
}
