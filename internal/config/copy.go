package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Copy is what is kept of calls on this machine, and for how long.
type Copy struct {
	// Mirror is, after Parse, one of MirrorOff and MirrorMemory or an absolute path.
	Mirror  string        `file:"mirror" placeholder:"WHERE" help:"Where the copy is: off, memory, or a path (default a file of its own for these sources in the user's cache directory; memory for sample calls and files)."`
	Retain  time.Duration `file:"days" type:"days" default:"90d" placeholder:"DAYS" help:"How far back the copy goes, such as 30d (default ${default})."`
	Details string        `file:"" enum:"failed,all,none" default:"failed" help:"Of which calls metadata and explanations are copied, one request a call: ${enum} (default ${default})."`
}

// The values of Copy.Mirror that are no path.
const (
	MirrorOff    = "off"
	MirrorMemory = "memory"
)

// Kept says whether there is a copy that outlives the process.
func (c Copy) Kept() bool { return c.Mirror != "" && c.Mirror != MirrorOff && c.Mirror != MirrorMemory }

// checkMirror finds a value that would become a file by accident.
func checkMirror(where string) error {
	switch {
	case where == MirrorOff, where == MirrorMemory, where == "":
	case strings.Contains(where, "://"):
		return fmt.Errorf("must be off, memory or a path: copies in a database server are not supported")
	case !strings.ContainsAny(where, `./\`):
		return fmt.Errorf("must be off, memory or a path such as ./calls.db, not %q", where)
	}
	return nil
}

// place settles where the copy is.
func (p *Place) place(env func(string) string) error {
	switch p.Mirror {
	case MirrorOff, MirrorMemory:
		return nil
	case "":
		p.Mirror = p.usual(env)
		return nil
	}
	path, err := filepath.Abs(p.Mirror)
	if err != nil {
		return Mistake("--mirror: %v", err)
	}
	p.Mirror = path
	return nil
}

// usual is where the copy is if nobody says: one file for each set of sources,
// so that calls of one scope are never taken for those of another, and the same
// one for every process that reads them, whatever its keys. Sample calls and
// files are here already, so a copy of them is worth no file; and there is none
// without a directory for it.
func (p *Place) usual(env func(string) string) string {
	sources, err := p.Configured()
	dir := cacheDir(env)
	if err != nil || dir == "" {
		return MirrorMemory
	}
	remote := false
	sum := sha256.New()
	for _, s := range sources {
		remote = remote || s.BaseURL != ""
		fmt.Fprintln(sum, s.scope())
	}
	if !remote {
		return MirrorMemory
	}
	return filepath.Join(dir, "call-logs-mcp", hex.EncodeToString(sum.Sum(nil))[:16]+".db")
}

// keeps finds why a command about the copy would have nothing to do.
func (c Config) keeps() error {
	switch {
	case c.Command != Sync && c.Command != Purge && c.Command != Status, c.Kept():
		return nil
	case c.Mirror == MirrorMemory:
		if _, err := c.Configured(); err != nil {
			return err
		}
		return Mistake("%s is about a copy that is kept, and a copy in memory is gone when its process ends; give --mirror PATH", c.Command)
	}
	return Mistake("%s is about a copy that is kept, and --mirror off keeps none; give --mirror PATH", c.Command)
}

var lasting = regexp.MustCompile(`^(\d{1,5})\s*(d|w|)$`)

// days reads a number of days, such as 90d or 90, or of weeks, such as 4w.
func days(s string) (time.Duration, error) {
	m := lasting.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, fmt.Errorf("must be a number of days such as 90d, not %q", s)
	}
	n, err := strconv.Atoi(m[1])
	if m[2] == "w" {
		n *= 7
	}
	if err != nil || n < 1 || n > 3650 {
		return 0, fmt.Errorf("must be from 1d to 3650d, not %q", s)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// span reads a length of time: days or weeks as days does, and shorter ones, such
// as 12h or 5s.
func span(s string) (time.Duration, error) {
	if d, err := days(s); err == nil && strings.ContainsAny(s, "dw") {
		return d, nil
	}
	d, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil || d < 0 {
		return 0, fmt.Errorf("must be a length of time such as 90d, 12h or 5s, not %q", s)
	}
	return d, nil
}

// decodeSpan decodes a length of time of at least so much.
func decodeSpan(least time.Duration) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		var s string
		if err := ctx.Scan.PopValueInto("time", &s); err != nil {
			return err
		}
		d, err := span(s)
		if err != nil {
			return err
		}
		if d < least {
			return fmt.Errorf("must be at least %s, not %q", least, s)
		}
		if target.Kind() == reflect.Pointer {
			target.Set(reflect.ValueOf(&d))
			return nil
		}
		target.SetInt(int64(d))
		return nil
	}
}

func decodeDays(ctx *kong.DecodeContext, target reflect.Value) error {
	var s string
	if err := ctx.Scan.PopValueInto("days", &s); err != nil {
		return err
	}
	d, err := days(s)
	if err != nil {
		return err
	}
	target.SetInt(int64(d))
	return nil
}
