package config

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

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
func load(providers []provider.Spec, grammar *kong.Application, path string, env func(string) string) (*file, error) {
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
	l := &loader{providers: providers, options: optionsOf(grammar), env: env, dir: filepath.Dir(path), exposed: open(info)}
	return l.file(*root)
}

// open says whether others than the file's owner can read it. Windows guards a
// user's files by other means.
func open(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// A loader reads one file.
type loader struct {
	providers []provider.Spec
	options   map[string]option
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
	keys := slices.Sorted(maps.Keys(l.options))
	keys = append(keys, "sources")
	slices.Sort(keys)
	if err := root.known(names, keys, "a configuration"); err != nil {
		return nil, err
	}
	for _, name := range names {
		if name == "sources" {
			err = l.sources(values[name])
		} else {
			l.out.options[name], err = l.option(l.options[name], values[name])
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
			if o.check == nil || err != nil {
				break
			}
			if bad := o.check(s); bad != nil {
				err = n.mistake("%v", bad)
			}
		}
		return strings.Join(all, ","), err
	}
	of := map[kind]func() (string, error){text: n.text, number: n.number, truth: n.truth}[o.kind]
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
	if v, ok := f.options[keyOf(flag)]; ok {
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
