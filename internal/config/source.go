package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"call-logs-mcp/client/provider"
)

// SourceConfig is one source of calls, ready to be opened. What its provider
// does not know is zero.
type SourceConfig struct {
	Name     string // in the ids of its calls
	Provider string // of the specs, or demo
	BaseURL  string

	Credentials map[string]Secret // those that are set, by their keys in the file

	ProjectID string
	AgentIDs  []string // empty for all
	Files     []string
}

// Configured are the sources that were asked for, by name. Flags and variables
// make one source a provider, named after it, and the file any number. The demo
// stands alone, whatever keys are around, so that sample and real calls never
// mix in one answer. Half a pair of credentials, and no source at all, are an
// *Error that names the way out.
func (p Place) Configured() ([]SourceConfig, error) {
	if p.Demo {
		return []SourceConfig{{Name: "demo", Provider: "demo"}}, nil
	}
	return slices.Clone(p.sources), p.lost
}

func nowhere(providers []provider.Spec) *Error {
	first, ways := providers[0], []string{}
	for _, s := range providers[1:] {
		if len(s.Logins) > 0 {
			ways = append(ways, "or "+withLogin(s, s.Logins[0]))
		}
	}
	return Mistake("no call logs to read: set %s to read yours from %s (%s), "+
		"name sources in --config FILE, give --data FILE for calls in a JSONL file, or --demo for sample calls",
		withLogin(first, first.Logins[0]), first.Title, strings.Join(ways, ", "))
}

// withLogin are the variables of a login.
func withLogin(s provider.Spec, login provider.Login) string {
	s.Logins = []provider.Login{login}
	return s.Needs(s.Variable)
}

// flagsOf is a struct for kong, with a field for each setting of s. The tags key
// and from are for fill and fromEnvironment.
func flagsOf(s provider.Spec) any {
	var fields []reflect.StructField
	for _, o := range s.Settings() {
		tag := fmt.Sprintf(`name:%q from:%q key:%q group:%q placeholder:%q help:%q`,
			s.Flag(o), s.Variable(o.Key), o.Key, s.Name, o.Placeholder, o.Help+" ($$"+s.Variable(o.Key)+").")
		if o.Default != "" {
			tag += fmt.Sprintf(` default:%q`, o.Default)
		}
		of := reflect.TypeFor[string]()
		if o.List {
			of = reflect.TypeFor[[]string]()
		}
		fields = append(fields, reflect.StructField{Name: "Flag_" + o.Key, Type: of, Tag: reflect.StructTag(tag)})
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// groupOf is the heading of the flags of s in a help text.
func groupOf(s provider.Spec) string {
	needs := s.Needs(s.Variable)
	if len(s.Credentials()) == 1 {
		needs = "its key is read from " + needs
	}
	return s.Title + " (" + needs + ")"
}

// ownSources are the sources that flags and variables make, one a provider, whether
// there are keys or not.
func ownSources(providers []provider.Spec, parsed *kong.Context) []SourceConfig {
	all := make([]SourceConfig, len(providers))
	for i, s := range providers {
		all[i] = SourceConfig{Name: s.Name, Provider: s.Name}
		for _, flag := range parsed.Flags() {
			if key := flag.Tag.Get("key"); key != "" && flag.Group.Key == s.Name {
				value, _ := flag.Target.Interface().([]string)
				if flag.Target.Kind() == reflect.String {
					value = []string{flag.Target.String()}
				}
				all[i].set(key, value...)
			}
		}
	}
	return all
}

// set sets one of the settings.
func (s *SourceConfig) set(key string, values ...string) {
	value := strings.Join(values, ",")
	switch key {
	case provider.BaseURL:
		s.BaseURL = value
	case provider.ProjectID:
		s.ProjectID = value
	case provider.AgentIDs:
		s.AgentIDs = list(value)
	}
}

// setting is what set has set; "" for nothing.
func (s *SourceConfig) setting(key string) string {
	switch key {
	case provider.BaseURL:
		return s.BaseURL
	case provider.ProjectID:
		return s.ProjectID
	case provider.AgentIDs:
		return strings.Join(s.AgentIDs, ",")
	}
	return ""
}

func (s *SourceConfig) setCredential(key string, value Secret) {
	if !value.IsSet() {
		return
	}
	if s.Credentials == nil {
		s.Credentials = map[string]Secret{}
	}
	s.Credentials[key] = value
}

// list are the parts of s between commas.
func list(s string) []string {
	var parts []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// KeyName names the places of its credentials, for messages: variables, or keys
// of the file.
func (s SourceConfig) KeyName(p provider.Spec) string {
	var names []string
	for _, key := range p.Login(s.has) {
		names = append(names, s.at(p, key))
	}
	return strings.Join(names, " and ")
}

// BaseName names the place of its base URL, for messages.
func (s SourceConfig) BaseName(p provider.Spec) string { return s.at(p, provider.BaseURL) }

func (s SourceConfig) at(p provider.Spec, key string) string {
	if s.Name == p.Name {
		return p.Variable(key)
	}
	return "sources." + s.Name + "." + key
}

func (s SourceConfig) has(credential string) bool { return s.Credentials[credential].IsSet() }

// lacks says what it takes to open s beyond what there is; "" for nothing.
func (s SourceConfig) lacks(p provider.Spec) string {
	switch {
	case p.Files && len(s.Files) == 0:
		return provider.Files
	case p.Files || p.Login(s.has) != nil:
		return ""
	}
	return p.Needs(func(key string) string { return key })
}

// scope is what s reads, without its credentials, for telling one from another.
func (s *SourceConfig) scope() string {
	return fmt.Sprintf("%q %q %q %q %q %q", s.Name, s.Provider, strings.TrimRight(s.BaseURL, "/"), s.ProjectID, slices.Sorted(slices.Values(s.AgentIDs)), s.Files)
}

// checkURLs wants the addresses of flags and variables to be some.
func checkURLs(providers []provider.Spec, sources []SourceConfig) error {
	for i, p := range providers {
		if p.BaseURL == "" {
			continue
		}
		if err := checkURL(sources[i].BaseURL); err != nil {
			return flagged("--"+p.Flag(provider.Setting{Key: provider.BaseURL})+" ("+p.Variable(provider.BaseURL)+")", err)
		}
	}
	return nil
}

// learn settles the sources: those of the file, and of each provider the one of
// flags and variables. What a source of the file has claimed is its key, and makes
// no source beside it.
func (p *Place) learn(providers []provider.Spec, own []SourceConfig, f *file, env func(string) string) error {
	if f == nil {
		f = &file{}
	}
	p.sources, p.lost = slices.Clone(f.named), f.lost
	for i, spec := range providers {
		s, v := own[i], f.vendors[spec.Name]
		if spec.Files {
			if len(p.Data) == 0 && !p.Demo {
				p.Data = v.Files
			}
			s.Files = p.Data
		}
		for _, key := range spec.Credentials() {
			s.setCredential(key, v.Credentials[key])
			variable := spec.Variable(key)
			if f.claimed[variable] {
				continue
			}
			set, err := secret(variable, env)
			if err != nil {
				return err
			}
			s.setCredential(key, set)
		}
		missing, given := spec.Half(s.has)
		lacks := s.lacks(spec)
		if v.Name != "" && lacks != "" && missing == "" && f.lost == nil {
			return v.node.mistake("needs %s", lacks)
		}
		if missing != "" && p.lost == nil {
			p.lost = Mistake("%s is not set, and %s is of no use without it; set both", spec.Variable(missing), spec.Variable(given))
		}
		if lacks == "" {
			p.sources = append(p.sources, s)
		}
	}
	if len(p.sources) == 0 && p.lost == nil {
		p.lost = nowhere(providers)
	}
	slices.SortFunc(p.sources, func(a, b SourceConfig) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}
