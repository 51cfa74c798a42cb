package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"call-logs-mcp/client/provider"
)

// The most that is read of a configuration and of a file that holds one key.
const (
	maxFile = 1 << 20
	maxKey  = 64 << 10
)

// file is what the configuration file says. The nil file says nothing.
type file struct {
	options map[string]string // of flags, by key; of lists with commas between
	vendors map[string]vendor // sources named like their provider, which flags and variables speak of too
	named   []SourceConfig    // all others, complete
	claimed map[string]bool   // variables that hold a key of some source
	lost    error             // a key that is not where the file says, for who needs it
}

// A vendor is a source of the file that flags and variables speak of.
type vendor struct {
	SourceConfig
	node node
}

// beside is name in the directory where the file is by default; "" if there
// cannot be one.
func beside(env func(string) string, name string) string {
	dir := configDir(env)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "call-logs-mcp", name)
}

// load reads the file at path or, if that is "", the one in the default place,
// which need not be there.
func load(providers []provider.Spec, path string, env func(string) string) (*file, error) {
	given := path != ""
	if !given {
		if path = beside(env, "config.yaml"); path == "" {
			return nil, nil
		}
	}
	f, err := os.Open(path)
	switch {
	case !given && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, Mistake("the configuration cannot be read: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return nil, Mistake("the configuration cannot be read: %s is no file", path)
	}
	small := &io.LimitedReader{R: f, N: maxFile + 1}
	root, err := read(path, small)
	switch {
	case small.N <= 0:
		return nil, Mistake("%s is larger than 1 MiB, which is no configuration", path)
	case err != nil:
		return nil, err
	case root == nil:
		return nil, nil
	}
	l := &loader{providers: providers, env: env, dir: filepath.Dir(path), exposed: open(info)}
	return l.file(*root)
}

// open says whether others than the file's owner can read it. Windows guards a
// user's files by other means.
func open(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// An option is a flag that the file may give, under the flag's name with
// underscores.
type option struct {
	kind  kind
	check func(string) error // of each text; nil for any
	path  bool               // relative to the directory of the file
}

type kind int

const (
	text kind = iota
	number
	truth
	texts
	length // of time: a text or a number
)

// options are all of them. What the command line checks, is checked here as
// well, where the line is known.
func options() map[string]option {
	return map[string]option{
		"time_zone": {check: checkZone}, "pii": {check: among("mask", "strict", "show")}, "structured": {kind: truth},
		"budget": {kind: number, check: whole(checkBudget)}, "max_fetch": {kind: number, check: whole(checkPositive)}, "max_rate": {kind: number, check: whole(checkPositive)},
		"log_level": {check: among("debug", "info", "warn", "error")}, "log_format": {check: among("text", "json")},

		"mirror": {check: checkMirror, path: true}, "retain": {kind: length, check: checkDays},
		"details": {check: among("failed", "all", "none")},

		"http": {check: checkAddr}, "auth": {check: among(AuthNone, AuthToken, AuthOAuth)}, "no_auth": {kind: truth},
		"tokens": {path: true}, "oauth_issuer": {check: checkURL}, "oauth_audience": {},
		"oauth_resource": {check: checkURL}, "oauth_filter_claim": {}, "oauth_algorithm": {kind: texts, check: checkAlgorithm},
		"allowed_host": {kind: texts, check: checkHost}, "allowed_origin": {kind: texts, check: checkOrigin},
		"trusted_proxy": {kind: texts, check: checkPrefix}, "metrics": {check: checkAddr},
		"rate": {kind: number, check: whole(checkLimit)}, "in_flight": {kind: number, check: whole(checkLimit)},
		"in_flight_per_principal": {kind: number, check: whole(checkLimit)}, "drain_delay": {kind: length, check: checkSpan},
		"otlp_endpoint": {check: checkCollector},
		"tls_cert":      {path: true}, "tls_key": {path: true},
	}
}

// A loader reads one file.
type loader struct {
	providers []provider.Spec
	env       func(string) string
	dir       string // of the file
	exposed   bool   // others can read it
	out       file
}

func (l *loader) file(root node) (*file, error) {
	l.out = file{options: map[string]string{}, vendors: map[string]vendor{}, claimed: map[string]bool{}}
	names, values, err := root.fields()
	if err != nil {
		return nil, err
	}
	all := options()
	keys := []string{"sources"}
	for key := range all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if err := root.known(names, keys, "a configuration"); err != nil {
		return nil, err
	}
	for _, name := range names {
		if name == "sources" {
			err = l.sources(values[name])
		} else {
			l.out.options[name], err = l.option(all[name], values[name])
		}
		if err != nil {
			return nil, err
		}
	}
	return &l.out, nil
}

func (l *loader) option(o option, n node) (string, error) {
	if o.kind == texts {
		all, err := n.texts()
		for _, s := range all {
			if bad := o.check(s); err == nil && bad != nil {
				err = n.mistake("%v", bad)
			}
		}
		return strings.Join(all, ","), err
	}
	of := map[kind]func() (string, error){text: n.text, length: n.text, number: n.number, truth: n.truth}[o.kind]
	s, err := of()
	if err == nil && o.check != nil {
		if bad := o.check(s); bad != nil {
			err = n.mistake("%v", bad)
		}
	}
	if err != nil {
		return "", err
	}
	if o.path && s != MirrorOff && s != MirrorMemory {
		s = l.abs(s)
	}
	return s, nil
}

// abs is path as the file means it: from its own directory, or from home.
func (l *loader) abs(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && l.env("HOME") != "" {
		return filepath.Join(l.env("HOME"), rest)
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.dir, path)
}

// resolve gives a flag that the command line left open its value.
func (f *file) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if f == nil {
		return nil, nil
	}
	if v, ok := f.options[strings.ReplaceAll(flag.Name, "-", "_")]; ok {
		return v, nil
	}
	if key := flag.Tag.Get("key"); key != "" {
		s := f.vendors[flag.Group.Key]
		if value := s.setting(key); value != "" {
			return value, nil
		}
	}
	return nil, nil
}

var sourceName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

func among(values ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(values, s) {
			return fmt.Errorf("must be one of %s, not %q", strings.Join(values, ", "), s)
		}
		return nil
	}
}

func whole(check func(int) error) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("must be a whole number such as 5000")
		}
		return check(n)
	}
}

func checkZone(s string) error {
	_, err := time.LoadLocation(s)
	if err != nil {
		return fmt.Errorf("is the unknown time zone %q; use a name such as UTC or Europe/Berlin", s)
	}
	return nil
}

func checkDays(s string) error {
	_, err := days(s)
	return err
}

func checkSpan(s string) error {
	_, err := span(s)
	return err
}

func checkPrefix(s string) error {
	_, err := prefix(s)
	return err
}
