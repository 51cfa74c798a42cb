package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func nowhere() *Error {
	return Mistake("no call logs to read: set CEKURA_API_KEY to read yours from Cekura " +
		"(or TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET, or ZUDU_API_KEY and ZUDU_API_SECRET), " +
		"name sources in --config FILE, give --data FILE for calls in a JSONL file, or --demo for sample calls")
}

// Cekura is how to reach Cekura's API.
type Cekura struct {
	Key       Secret `kong:"-"` // from CEKURA_API_KEY; no flag takes a key
	BaseURL   string `name:"base-url" from:"CEKURA_BASE_URL" default:"https://api.cekura.ai" placeholder:"URL" help:"Where its API is (default ${default}) ($$CEKURA_BASE_URL)."`
	ProjectID string `from:"CEKURA_PROJECT_ID" placeholder:"ID" help:"Only calls of this project ($$CEKURA_PROJECT_ID)."`
	AgentID   string `from:"CEKURA_AGENT_ID" placeholder:"ID" help:"Only calls of this agent, or of several with commas between ($$CEKURA_AGENT_ID)."`
}

// Telzino is how to reach Telzino's API: with client credentials, or with a
// token that is ready.
type Telzino struct {
	ClientID     Secret   `kong:"-"` // from TELZINO_CLIENT_ID
	ClientSecret Secret   `kong:"-"` // from TELZINO_CLIENT_SECRET
	Token        Secret   `kong:"-"` // from TELZINO_TOKEN
	BaseURL      string   `name:"base-url" from:"TELZINO_BASE_URL" default:"https://api.telzino.com" placeholder:"URL" help:"Where its API is (default ${default}) ($$TELZINO_BASE_URL)."`
	AgentIDs     []string `name:"agent-ids" from:"TELZINO_AGENT_IDS" placeholder:"ID" help:"Only calls of these agents ($$TELZINO_AGENT_IDS)."`
}

// Zudu is how to reach Zudu's API.
type Zudu struct {
	Key     Secret `kong:"-"` // from ZUDU_API_KEY
	Secret  Secret `kong:"-"` // from ZUDU_API_SECRET
	BaseURL string `name:"base-url" from:"ZUDU_BASE_URL" default:"https://api.zudu.ai" placeholder:"URL" help:"Where its API is (default ${default}) ($$ZUDU_BASE_URL)."`

	AgentIDs []string `name:"agent-ids" from:"ZUDU_AGENT_IDS" placeholder:"ID" help:"Only calls of these agents ($$ZUDU_AGENT_IDS)."`
}

// SourceConfig is one source of calls, ready to be opened. What its provider
// does not know is zero.
type SourceConfig struct {
	Name     string // in the ids of its calls
	Provider string // cekura, telzino, zudu, file or demo
	BaseURL  string

	Key          Secret // of Cekura and Zudu
	Secret       Secret // of Zudu
	ClientID     Secret // of Telzino, and so the next two
	ClientSecret Secret
	Token        Secret // used as it is, without the client's credentials

	ProjectID string
	AgentIDs  []string // empty for all
	Files     []string // of the provider file
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
	if p.lost != nil {
		return nil, p.lost
	}
	all := slices.Clone(p.named)
	for _, s := range p.unnamed() {
		if missing, given := s.half(); missing != "" {
			env := providers()[s.Provider].env
			return nil, Mistake("%s is not set, and %s is of no use without it; set both", env[missing], env[given])
		}
		if s.complete() {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, nowhere()
	}
	slices.SortFunc(all, func(a, b SourceConfig) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// unnamed are the sources of flags and variables, whether there are keys or not.
func (p Place) unnamed() []SourceConfig {
	return []SourceConfig{
		{
			Name: "cekura", Provider: "cekura", BaseURL: p.Cekura.BaseURL, Key: p.Cekura.Key,
			ProjectID: p.Cekura.ProjectID, AgentIDs: list(p.Cekura.AgentID),
		},
		{
			Name: "telzino", Provider: "telzino", BaseURL: p.Telzino.BaseURL, ClientID: p.Telzino.ClientID,
			ClientSecret: p.Telzino.ClientSecret, Token: p.Telzino.Token, AgentIDs: p.Telzino.AgentIDs,
		},
		{Name: "zudu", Provider: "zudu", BaseURL: p.Zudu.BaseURL, Key: p.Zudu.Key, Secret: p.Zudu.Secret, AgentIDs: p.Zudu.AgentIDs},
		{Name: "file", Provider: "file", Files: p.Data},
	}
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

// A provider is what can be configured for its sources.
type provider struct {
	base string            // where its API is, if it has one
	env  map[string]string // the variable of each credential
	keys []string          // what a source in the file may say, beside its provider
	pair [2]string         // the credentials that need each other, if any
}

// providers are all there are, by name.
func providers() map[string]provider {
	return map[string]provider{
		"cekura": {
			base: "https://api.cekura.ai",
			env:  map[string]string{"api_key": "CEKURA_API_KEY"},
			keys: []string{"base_url", "project_id", "agent_ids", "api_key"},
		},
		"telzino": {
			base: "https://api.telzino.com",
			env:  map[string]string{"client_id": "TELZINO_CLIENT_ID", "client_secret": "TELZINO_CLIENT_SECRET", "token": "TELZINO_TOKEN"},
			keys: []string{"base_url", "agent_ids", "client_id", "client_secret", "token"},
			pair: [2]string{"client_id", "client_secret"},
		},
		"zudu": {
			base: "https://api.zudu.ai",
			env:  map[string]string{"api_key": "ZUDU_API_KEY", "api_secret": "ZUDU_API_SECRET"},
			keys: []string{"base_url", "agent_ids", "api_key", "api_secret"},
			pair: [2]string{"api_key", "api_secret"},
		},
		"file": {keys: []string{"files"}},
	}
}

// credential is the one that a file calls name; nil if there is none.
func (s *SourceConfig) credential(name string) *Secret {
	switch name {
	case "api_key":
		return &s.Key
	case "api_secret":
		return &s.Secret
	case "client_id":
		return &s.ClientID
	case "client_secret":
		return &s.ClientSecret
	case "token":
		return &s.Token
	}
	return nil
}

// KeyName names the places of its credentials, for messages: variables, or keys
// of the file.
func (s SourceConfig) KeyName() string {
	var names []string
	p := providers()[s.Provider]
	for _, key := range p.keys {
		c := s.credential(key)
		switch {
		case c == nil || !c.IsSet() || key == "token" && s.ClientID.IsSet():
		case s.Name == s.Provider:
			names = append(names, p.env[key])
		default:
			names = append(names, "sources."+s.Name+"."+key)
		}
	}
	return strings.Join(names, " and ")
}

// BaseName names the place of its base URL, for messages.
func (s SourceConfig) BaseName() string {
	if s.Name == s.Provider {
		return strings.ToUpper(s.Provider) + "_BASE_URL"
	}
	return "sources." + s.Name + ".base_url"
}

// half names the credential that is missing beside one that is given.
func (s *SourceConfig) half() (missing, given string) {
	pair := providers()[s.Provider].pair
	if pair[0] == "" {
		return "", ""
	}
	switch first, second := s.credential(pair[0]).IsSet(), s.credential(pair[1]).IsSet(); {
	case first && !second:
		return pair[1], pair[0]
	case second && !first:
		return pair[0], pair[1]
	}
	return "", ""
}

// complete says whether s has all that opening it takes.
func (s *SourceConfig) complete() bool {
	switch s.Provider {
	case "cekura":
		return s.Key.IsSet()
	case "telzino":
		return s.Token.IsSet() || s.ClientID.IsSet() && s.ClientSecret.IsSet()
	case "zudu":
		return s.Key.IsSet() && s.Secret.IsSet()
	case "file":
		return len(s.Files) > 0
	}
	return false
}

// needs says in words what complete asks for.
func (s *SourceConfig) needs() string {
	switch s.Provider {
	case "telzino":
		return "client_id and client_secret, or token"
	case "zudu":
		return "api_key and api_secret"
	case "file":
		return "files"
	}
	return "api_key"
}

// scope is what s reads, without its credentials, for telling one from another.
func (s *SourceConfig) scope() string {
	return fmt.Sprintf("%q %q %q %q %q %q", s.Name, s.Provider, strings.TrimRight(s.BaseURL, "/"), s.ProjectID, slices.Sorted(slices.Values(s.AgentIDs)), s.Files)
}
