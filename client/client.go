// Package client opens the places that call logs come from.
package client

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/client/cekura"
	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/file"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/telzino"
	"call-logs-mcp/client/zudu"
	"call-logs-mcp/internal/call"
)

// Options say what to open. A provider takes of them what it needs.
type Options struct {
	Name      string // of the source, in the ids of its calls
	BaseURL   string
	ProjectID string
	AgentIDs  []string
	Files     []string
	Zone      *time.Location // of times in files that have no offset; nil is UTC

	// Credentials are asked for each time, so that they may rotate. Cekura has a
	// key, Zudu a key and a secret, Telzino a token or a client's id and secret.
	Key, Secret, Token     func() string
	ClientID, ClientSecret func() string

	// KeyName and BaseName are what the operator set, for messages; "" for the
	// provider's variables.
	KeyName, BaseName string

	Version string // of this program
	Logger  *slog.Logger
	Now     func() time.Time
	Limits  rest.Limits // zero for those of the provider
}

// providers is every place there is. To add one, write its folder and a line.
func providers() map[string]func(Options) (call.Source, error) {
	return map[string]func(Options) (call.Source, error){
		"cekura":  openCekura,
		"demo":    openDemo,
		"file":    openFile,
		"telzino": openTelzino,
		"zudu":    openZudu,
	}
}

// Open returns the named provider as a source of call logs, within the project
// and the agents of o. Whatever reads calls, copies or counts them, does it by
// this source, so that nothing else is read.
func Open(provider string, o Options) (call.Source, error) {
	open, ok := providers()[provider]
	if !ok {
		return nil, fmt.Errorf("no provider %q; there are %s", provider, strings.Join(slices.Sorted(maps.Keys(providers())), ", "))
	}
	src, err := open(o)
	if err != nil {
		return nil, err
	}
	return call.Confine(src, o.Name, call.Confinement{Project: o.ProjectID, Agents: o.AgentIDs}), nil
}

func openCekura(o Options) (call.Source, error) {
	return cekura.New(cekura.Options{
		Name: o.Name, BaseURL: o.BaseURL, Key: o.Key, ProjectID: o.ProjectID, AgentIDs: o.AgentIDs,
		KeyName: o.KeyName, BaseName: o.BaseName,
		Version: o.Version, Logger: o.Logger, Now: o.Now, Limits: o.Limits,
	})
}

// openDemo reads the API in a box by the same client as the real one, without
// a socket and so without a pace.
func openDemo(o Options) (call.Source, error) {
	return cekura.New(cekura.Options{
		Name: o.Name, BaseURL: "http://127.0.0.1", Key: func() string { return "demo" },
		Transport: demo.Transport(demo.New(demo.Options{Now: o.Now})),
		Version:   o.Version, Logger: o.Logger, Now: o.Now, Limits: rest.Limits{Rate: 1e6, Burst: 1e6},
	})
}

func openTelzino(o Options) (call.Source, error) {
	return telzino.New(telzino.Options{
		Name: o.Name, BaseURL: o.BaseURL, ClientID: o.ClientID(), ClientSecret: o.ClientSecret, Token: o.Token,
		AgentIDs: o.AgentIDs, KeyName: o.KeyName, BaseName: o.BaseName, Version: o.Version, Logger: o.Logger, Now: o.Now, Limits: o.Limits,
	})
}

func openZudu(o Options) (call.Source, error) {
	return zudu.New(zudu.Options{
		Name: o.Name, BaseURL: o.BaseURL, APIKey: o.Key, APISecret: o.Secret,
		AgentIDs: o.AgentIDs, KeyName: o.KeyName, BaseName: o.BaseName, Version: o.Version, Logger: o.Logger, Now: o.Now, Limits: o.Limits,
	})
}

// Wait is how long a failure of any provider asks to wait before the next
// request; 0 where it does not say.
func Wait(err error) time.Duration {
	var s *rest.StatusError
	if errors.As(err, &s) && s.RetryAfter != nil {
		return *s.RetryAfter
	}
	return 0
}

func openFile(o Options) (call.Source, error) { return file.OpenIn(o.Zone, o.Name, o.Files...) }
