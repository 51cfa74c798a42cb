// Package client opens the places that call logs come from.
package client

import (
	"errors"
	"fmt"
	"time"

	"call-logs-mcp/client/cekura"
	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/file"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/telzino"
	"call-logs-mcp/client/zudu"
	"call-logs-mcp/internal/call"
)

// Options say what to open.
type Options = provider.Options

// Providers are all that can be configured. To add one, write its folder and a
// line. The first is the one that help texts speak of.
func Providers() []provider.Spec {
	return []provider.Spec{
		cekura.Spec(),
		telzino.Spec(),
		zudu.Spec(),
		file.Spec(),
	}
}

// Provider is the one of that name, of Providers or demo; zero if there is none.
func Provider(name string) provider.Spec {
	for _, s := range append(Providers(), sample()) {
		if s.Name == name {
			return s
		}
	}
	return provider.Spec{}
}

// sample is the sample calls: Cekura's API in a box, read by the same client as
// the real one, without a socket and so without a pace.
func sample() provider.Spec {
	return provider.Spec{
		Name: "demo", Title: "Sample calls", Lists: cekura.Spec().Lists,
		Open: func(o Options) (call.Source, error) {
			return cekura.New(Options{
				Name: o.Name, BaseURL: "http://127.0.0.1", Credential: func(string) string { return "demo" },
				Transport: demo.Transport(demo.New(demo.Options{Now: o.Now})),
				Version:   o.Version, Logger: o.Logger, Now: o.Now, Limits: rest.Limits{Rate: 1e6, Burst: 1e6},
			})
		},
	}
}

// Open returns a source of the named provider, within the project and the agents
// of o. Whatever reads calls, copies or counts them, does it by this source, so
// that nothing else is read.
func Open(name string, o Options) (call.Source, error) {
	p := Provider(name)
	if p.Open == nil {
		return nil, fmt.Errorf("no provider %q", name)
	}
	src, err := p.Open(o)
	if err != nil {
		return nil, err
	}
	return call.Confine(src, o.Name, call.Confinement{Project: o.ProjectID, Agents: o.AgentIDs}), nil
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
