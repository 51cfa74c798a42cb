package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror"
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
	if err != nil {
		return err
	}
	defer db.Close()
	shown := time.Time{}
	report, err := e.Cycle(ctx, func(p mirror.Progress) {
		if h.tools.Now().Sub(shown) > 500*time.Millisecond || p.Done == p.Total {
			shown = h.tools.Now()
			fmt.Fprint(out, "\r\x1b[K"+progressLine(p))
		}
	})
	fmt.Fprintf(out, "\r\x1b[K%d calls read with %d questions, %d new or changed, %d gone\n", report.Read, report.Requests, report.Put, report.Gone)
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

// progressLine is a bar, the rate and the time left: [####------] 41 %.
func progressLine(p mirror.Progress) string {
	const width = 24
	s := p.Source + " "
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
	info, err := os.Stat(c.Mirror)
	if err != nil {
		fmt.Fprintf(out, "There is no copy at %s yet; call-logs-mcp sync makes it.\n", c.Mirror)
		return nil
	}
	e, db, err := h.engine(ctx, c.Copy)
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Fprintf(out, "%s, %.1f MB\n", c.Mirror, float64(info.Size())/1e6)
	for _, name := range e.Sources() {
		p, err := db.Find(ctx, call.Query{Where: filter.Cond{Field: "source", Op: filter.Eq, Value: name}, Limit: 1, Exhaust: true})
		if err != nil {
			return err
		}
		covered, err := e.Covered(ctx, name, call.Window{})
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s: %d calls", name, *p.Total)
		if len(p.Logs) > 0 {
			line += ", the newest of " + p.Logs[0].StartedAt.UTC().Format("2006-01-02 15:04") + " UTC"
		}
		switch {
		case covered.AsOf.IsZero():
			line += "; nothing is covered yet"
		case covered.Full:
			line += fmt.Sprintf("; all of the last %d days, as of %s UTC", c.Retain/(24*time.Hour), covered.AsOf.UTC().Format("15:04"))
		default:
			line += fmt.Sprintf("; %d windows are missing or out of date", len(covered.Missing))
		}
		if hold := e.Held(ctx, name); hold != nil {
			line += "; " + hold.String()
		}
		fmt.Fprintln(out, line)
	}
	return nil
}

// purge removes the copy, after asking: the whole file, so that no byte stays.
func (h *house) purge(c config.Config, in io.Reader, out io.Writer) error {
	if !c.Purge.All {
		return config.Mistake("purge removes the whole copy, with --all; parts of it cannot be removed yet")
	}
	if !c.Purge.Yes {
		fmt.Fprintf(out, "Remove all of %s? [y/N] ", c.Mirror)
		var answer string
		if _, err := fmt.Fscanln(in, &answer); err != nil || !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
			fmt.Fprintln(out, "Nothing was removed.")
			return nil
		}
	}
	removed := 0
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		switch err := os.Remove(c.Mirror + suffix); {
		case err == nil:
			removed++
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
	}
	fmt.Fprintf(out, "Removed %d files at %s.\n", removed, c.Mirror)
	return nil
}
