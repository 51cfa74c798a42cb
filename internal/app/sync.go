package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror"
	"call-logs-mcp/internal/mirror/store"
)

// sync fills the copy and says how far it is. It goes on where the last one
// stopped, and stops by a signal at any point.
func (h *house) sync(ctx context.Context, c config.Config, out io.Writer) error {
	if c.Sync.Since != "" {
		since, err := h.moment("--since", c.Sync.Since)
		if err != nil {
			return err
		}
		if retain := h.tools.Now().Sub(since); retain < c.Retain {
			c.Retain = retain
		}
	}
	e, db, err := h.engine(ctx, c.Copy)
	if b := store.Broken(err); b != nil && b.Damaged {
		aside, failed := setAside(c.Mirror, b, h.tools.Now())
		if failed != nil {
			return failed
		}
		fmt.Fprintf(out, "The copy was damaged: it was set aside as %s, and is built anew.\n", aside)
		e, db, err = h.engine(ctx, c.Copy)
	}
	if err != nil {
		return err
	}
	defer db.Close()
	unlock, held, err := h.lock(ctx, db)
	switch {
	case errors.Is(err, store.ErrScope):
		return fmt.Errorf("another process fills the copy at %s for other projects or agents; give this one another file by --mirror", c.Mirror)
	case err != nil:
		return err
	case held != nil:
		return h.syncedBy(ctx, held.Holder, e, db, c.Retain)
	}
	defer unlock()
	if c.Sync.Since == "" { // else the engine's horizon is not how long calls are kept
		if _, err := e.Expire(ctx); err != nil {
			return err
		}
	}
	m := newMeter(out, config.IsTerminal(out), h.tools.Now)
	report, err := e.Cycle(ctx, m.show)
	m.end(fmt.Sprintf("%d calls read with %d questions, %d new or changed, %d gone", report.Read, report.Requests, report.Put, report.Gone))
	for _, hold := range report.Held {
		fmt.Fprintln(out, hold)
	}
	if err != nil && ctx.Err() == nil {
		return told(err)
	}
	if c.Sync.Follow {
		e.Follow(ctx, func(source string, r mirror.Report, err error) {
			if err != nil {
				h.logger.Warn("sync", "source", source, "err", err)
			} else if r.Put+r.Gone > 0 {
				h.logger.Info("sync", "source", source, "written", r.Put, "gone", r.Gone)
			}
		})
	}
	return nil
}

// told is an upstream's failure as its words to people.
func told(err error) error {
	var e *call.Error
	if errors.As(err, &e) {
		return errors.New(e.Error())
	}
	return err
}

// A meter shows how far something is: on a terminal by one line that is drawn
// over itself twice a second, and anywhere else, such as in a log, by a line
// every ten seconds.
type meter struct {
	out   io.Writer
	drawn bool // over itself
	now   func() time.Time
	shown time.Time // when the last line was
}

func newMeter(out io.Writer, drawn bool, now func() time.Time) *meter {
	m := &meter{out: out, drawn: drawn, now: now}
	if !drawn {
		m.shown = now() // what ends soon has its last line alone
	}
	return m
}

func (m *meter) show(p mirror.Progress) {
	now := m.now()
	since := now.Sub(m.shown)
	switch {
	case m.drawn && (since >= 500*time.Millisecond || p.Done == p.Total && p.AllRecords == 0):
		fmt.Fprint(m.out, overIt+progressLine(p))
	case !m.drawn && since >= 10*time.Second:
		fmt.Fprintln(m.out, progressLine(p))
	default:
		return
	}
	m.shown = now
}

// end is the last line, which stays.
func (m *meter) end(line string) {
	if m.drawn {
		line = overIt + line
	}
	fmt.Fprintln(m.out, line)
}

// overIt goes back to the start of a terminal's line, and empties it.
const overIt = "\r\x1b[K"

// progressLine is a bar, the rate and the time left: [####------] 41 %.
func progressLine(p mirror.Progress) string {
	const width = 24
	s := p.Source + " "
	if p.AllRecords > 0 {
		return s + fmt.Sprintf("%d calls read · %d of %d full records (--details) · %d questions", p.Done, p.Records, p.AllRecords, p.Requests)
	}
	if p.Total > 0 {
		done := min(1, float64(p.Done)/float64(p.Total))
		filled := int(done * width)
		s += fmt.Sprintf("[%s%s] %.0f %% of %d calls", strings.Repeat("#", filled), strings.Repeat("-", width-filled), 100*done, p.Total)
	} else {
		s += fmt.Sprintf("%d calls", p.Done)
	}
	if p.Rate > 0 {
		s += fmt.Sprintf(" · %.0f a second", p.Rate)
		if left := float64(p.Total-p.Done) / p.Rate; p.Total > p.Done {
			s += " · " + (time.Duration(left) * time.Second).String() + " left"
		}
	}
	return s + fmt.Sprintf(" · %d questions", p.Requests)
}

// moment reads a time that the operator gave.
func (h *house) moment(flag, s string) (time.Time, error) {
	t, err := (filter.Clock{Now: h.tools.Now(), Zone: h.tools.Zone}).Time(s, false)
	if err != nil {
		return t, config.Mistake("%s: %v", flag, err)
	}
	return t, nil
}

// status says what the copy holds of each source, and as of when.
func (h *house) status(ctx context.Context, c config.Config, out io.Writer) error {
	if _, err := os.Stat(c.Mirror); err != nil {
		_, err := fmt.Fprintf(out, "There is no copy at %s yet; call-logs-mcp sync makes it.\n", c.Mirror)
		return err
	}
	e, db, err := h.engine(ctx, c.Copy)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Expect(ctx, h.scopes()); errors.Is(err, store.ErrScope) {
		_, err := fmt.Fprintln(out, elsewhere(c.Copy))
		return err
	} else if err != nil {
		return err
	}
	stats, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %.1f MB, %s\n", stats.Path, float64(stats.Bytes)/1e6, soundness(ctx, db))
	for _, aside := range store.Aside(c.Mirror) {
		fmt.Fprintf(out, "set aside as damaged: %s\n", aside)
	}
	for _, line := range heldLines(ctx, stats, e, c.Retain) {
		fmt.Fprintln(out, line)
	}
	if holder, ok := db.Holder(); ok {
		fmt.Fprintf(out, "process %d syncs it since %s UTC\n", holder.PID, minuteOf(holder.Since))
	}
	return nil
}

// heldLines say what a copy holds, source by source.
func heldLines(ctx context.Context, stats store.Stats, e *mirror.Engine, retain time.Duration) (lines []string) {
	for _, s := range stats.Sources {
		if !slices.Contains(e.Sources(), s.Name) {
			continue
		}
		line := fmt.Sprintf("%s: %d calls", s.Name, s.Calls)
		if s.Calls > 0 {
			line += fmt.Sprintf(" from %s to %s UTC", minuteOf(s.Oldest), minuteOf(s.Newest))
		}
		if covered, err := e.Covered(ctx, s.Name, call.Window{}); err == nil {
			line += "; " + coveredWords(covered, retain)
		}
		if hold := e.Held(ctx, s.Name); hold != nil {
			line += "; " + hold.String()
		}
		lines = append(lines, line)
	}
	return lines
}

// syncedBy says who syncs already, and how far that is.
func (h *house) syncedBy(ctx context.Context, by store.Holder, e *mirror.Engine, db *store.Store, retain time.Duration) error {
	who := "another process syncs this copy"
	if by.PID != 0 {
		who = fmt.Sprintf("process %d syncs this copy since %s UTC", by.PID, minuteOf(by.Since))
	}
	stats, err := db.Stats(ctx)
	if err != nil {
		return errors.New(who)
	}
	if lines := heldLines(ctx, stats, e, retain); len(lines) > 0 {
		who += "; so far " + strings.Join(lines, "; ")
	}
	return errors.New(who)
}

func coveredWords(c mirror.Coverage, retain time.Duration) string {
	switch {
	case c.AsOf.IsZero():
		return "nothing is covered yet"
	case c.Full:
		return fmt.Sprintf("all of the last %d days, as of %s UTC", retain/(24*time.Hour), minuteOf(c.AsOf))
	case len(c.Unread) == 0:
		return fmt.Sprintf("all of the last %d days was read, the oldest part at %s UTC", retain/(24*time.Hour), minuteOf(c.AsOf))
	}
	if len(c.Unread) == 1 {
		return "1 window was never read"
	}
	return fmt.Sprintf("%d windows were never read", len(c.Unread))
}

func minuteOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// purge removes calls from the copy, after asking.
func (h *house) purge(ctx context.Context, c config.Config, in io.Reader, out io.Writer) error {
	sel := store.Selection{Source: c.Purge.Source, Number: c.Purge.Number, All: c.Purge.All}
	var err error
	if c.Purge.Before != "" {
		if sel.Before, err = h.moment("--before", c.Purge.Before); err != nil {
			return err
		}
	}
	for _, s := range c.Purge.Calls {
		id, err := call.ParseID(s, h.tools.Sources)
		if err != nil {
			return config.Mistake("--call: %v", err)
		}
		sel.IDs = append(sel.IDs, id)
	}
	if !c.Purge.Yes {
		back := "What the upstream still has comes back with the next sync."
		if c.Purge.Forget {
			back = "They do not come back with a sync, either."
		}
		fmt.Fprintf(out, "Remove these calls from %s? %s [y/N] ", c.Mirror, back)
		var answer string
		if _, err := fmt.Fscanln(in, &answer); err != nil || !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
			_, err := fmt.Fprintln(out, "Nothing was removed.")
			return err
		}
	}
	_, db, err := h.engine(ctx, c.Copy)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Purge.Forget {
		return forget(ctx, db, sel, out)
	}
	removed, err := db.Purge(ctx, sel)
	fmt.Fprintf(out, "%d calls removed from %s\n", removed, c.Mirror)
	return err
}
