// Package provider is what a provider of call logs declares of itself, once: what
// can be configured for it, what its lists can be asked for, and how it is opened.
// Flags, variables, keys of the configuration file, help texts, messages, the
// documentation, sync and tests read it from here, so that a provider is one
// folder and one line in client.
package provider

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
)

// A Spec is one provider.
type Spec struct {
	Name  string // in the configuration, and of a source that has no name of its own
	Title string // for people

	BaseURL string    // where its API is unless configured; "" where it has none
	Logins  []Login   // any of them is enough; the first that is whole is used
	Narrow  []Setting // what keeps a source to a part of the account
	Files   bool      // it reads files, which are all there is and do not change

	Lists Capabilities
	Open  func(Options) (call.Source, error)
}

// A Login is the credentials that are needed together, by their keys in the
// configuration file. Each has a variable, and no flag, so that it never stands in
// a process list.
type Login []string

// A Setting is a value that may be configured by flag, variable and file.
type Setting struct {
	Key         string // in the file: one of BaseURL, ProjectID and AgentIDs
	Flag        string // behind the provider's name, and so the variable; "" for the key's
	Placeholder string
	Help        string // without the stop
	Default     string
	List        bool // the flag may be repeated
}

// Keys of a source in the configuration file.
const (
	BaseURL   = "base_url"
	ProjectID = "project_id"
	AgentIDs  = "agent_ids"
	Files     = "files"
)

// Capabilities are what a list can be asked for. Sync goes by them: what is left
// out is done without, at the cost of more requests.
type Capabilities struct {
	TimeFilter bool          // by start time; without it each window is paged through from the newest
	IDFilter   bool          // by numeric keys that grow, and by lists of them
	Gets       bool          // Get asks for a key; without it, Get may look in vain for what is far back in a list
	MaxWindow  time.Duration // the widest window it takes, 0 is 30 days
	PageSize   int           // calls of one answer, 0 is 100
}

// Options say what to open. A provider takes of them what it needs.
type Options struct {
	Name    string // of the source, in the ids of its calls; "" is the provider's
	BaseURL string // "" is the provider's

	// ProjectID and AgentIDs are what the API is asked for where a query names no
	// other. call.Confine keeps away what it sends beyond.
	ProjectID string
	AgentIDs  []string

	Files []string
	Zone  *time.Location // of times in files that have no offset; nil is UTC

	// Credential is asked for by key each time, so that credentials may rotate. It
	// is "" for what is not configured.
	Credential func(key string) string

	// KeyName and BaseName are what the operator set, for messages; "" for the
	// provider's variables.
	KeyName, BaseName string

	Transport http.RoundTripper // nil dials BaseURL
	Version   string            // of this program, for the User-Agent
	Logger    *slog.Logger      // nil is silent
	Now       func() time.Time  // nil is time.Now
	Limits    rest.Limits       // zero for the usual
}

// Secret is the credential of that key as it is now, without spaces around it.
func (o Options) Secret(key string) string {
	if o.Credential == nil {
		return ""
	}
	return strings.TrimSpace(o.Credential(key))
}

// Variable is the environment variable of a credential or setting.
func (s Spec) Variable(key string) string {
	for _, o := range s.Narrow {
		if o.Key == key {
			key = o.flag()
		}
	}
	return strings.ToUpper(s.Name + "_" + strings.ReplaceAll(key, "-", "_"))
}

// Flag is the flag of a setting, without dashes before it.
func (s Spec) Flag(o Setting) string { return s.Name + "-" + o.flag() }

func (o Setting) flag() string {
	if o.Flag != "" {
		return o.Flag
	}
	return strings.ReplaceAll(o.Key, "_", "-")
}

// Settings are all that flags say of the provider.
func (s Spec) Settings() []Setting {
	if s.BaseURL == "" {
		return s.Narrow
	}
	base := Setting{Key: BaseURL, Placeholder: "URL", Help: "Where its API is (default ${default})", Default: s.BaseURL}
	return append([]Setting{base}, s.Narrow...)
}

// Credentials are the keys of all logins.
func (s Spec) Credentials() (keys []string) {
	for _, login := range s.Logins {
		for _, key := range login {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// Keys are what a source of the file may say, beside its provider.
func (s Spec) Keys() (keys []string) {
	for _, o := range s.Settings() {
		keys = append(keys, o.Key)
	}
	if s.Files {
		keys = append(keys, Files)
	}
	return append(keys, s.Credentials()...)
}

// Needs says in words which credentials it takes to open a source, each called as
// name does.
func (s Spec) Needs(name func(key string) string) string {
	var ways []string
	for _, login := range s.Logins {
		var names []string
		for _, key := range login {
			names = append(names, name(key))
		}
		ways = append(ways, strings.Join(names, " and "))
	}
	return strings.Join(ways, ", or ")
}

// Login is the first login of which everything is set; nil if there is none.
func (s Spec) Login(isSet func(key string) bool) Login {
	unset := func(key string) bool { return !isSet(key) }
	for _, login := range s.Logins {
		if !slices.ContainsFunc(login, unset) {
			return login
		}
	}
	return nil
}

// Half names a credential that is missing beside one that is given, both of one
// login; "" if there is none.
func (s Spec) Half(isSet func(key string) bool) (missing, given string) {
	for _, login := range s.Logins {
		has := slices.IndexFunc(login, isSet)
		lacks := slices.IndexFunc(login, func(key string) bool { return !isSet(key) })
		if has >= 0 && lacks >= 0 {
			return login[lacks], login[has]
		}
	}
	return "", ""
}
