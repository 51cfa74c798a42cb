package config

import (
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"call-logs-mcp/client/provider"
)

// sources reads the sources of the file, by name.
func (l *loader) sources(n node) error {
	names, values, err := n.fields()
	if err != nil {
		return err
	}
	for _, name := range names {
		at := values[name]
		switch {
		case !sourceName.MatchString(name):
			return at.mistake("is no name for a source: it must begin with a letter and have at most 32 of a-z, 0-9, _ and -")
		case name == "demo":
			return at.mistake("is the name of the sample calls; choose another")
		}
		if err := l.source(name, at); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) source(name string, n node) error {
	names, values, err := n.fields()
	if err != nil {
		return err
	}
	s := SourceConfig{Name: name}
	p, err := l.providerOf(name, n, values)
	if err != nil {
		return err
	}
	if err := n.known(names, append([]string{"provider"}, p.Keys()...), "a source of "+p.Name); err != nil {
		return err
	}
	s.Provider, s.BaseURL = p.Name, p.BaseURL
	for _, key := range names {
		if err := l.set(&s, key, values[key]); err != nil {
			return err
		}
	}
	lacks := s.lacks(p)
	if p.Files && lacks != "" {
		return n.mistake("needs %s", lacks)
	}
	if s.Name == s.Provider {
		if _, ok := values["base_url"]; !ok {
			s.BaseURL = "" // the flag has the default
		}
		l.out.vendors[name] = vendor{s, n}
		return nil
	}
	l.out.named = append(l.out.named, s)
	if l.out.lost != nil {
		return nil // and so is whether the rest is complete
	}
	if missing, given := p.Half(s.has); missing != "" {
		return n.mistake("has %s without %s; give both", given, missing)
	}
	if lacks != "" {
		return n.mistake("needs %s", lacks)
	}
	return nil
}

// providerOf is what n says, or what its name does. A source that is named like
// a provider is one of it, since that provider's flags speak of the source.
func (l *loader) providerOf(name string, n node, values map[string]node) (provider.Spec, error) {
	specs := map[string]provider.Spec{}
	for _, p := range l.providers {
		specs[p.Name] = p
	}
	all := slices.Sorted(maps.Keys(specs))
	own, known := specs[name]
	at, ok := values["provider"]
	if !ok {
		if !known {
			return own, n.mistake("needs a provider: %s", strings.Join(all, ", "))
		}
		return own, nil
	}
	s, err := at.text()
	if err != nil {
		return own, err
	}
	p, there := specs[s]
	switch near := closest(s, all); {
	case !there && near != "":
		return p, at.mistake("is unknown; did you mean %s?", near)
	case !there:
		return p, at.mistake("is unknown; there are %s", strings.Join(all, ", "))
	case known && s != name:
		return p, at.mistake("is not %s, so the source needs another name", name)
	}
	return p, nil
}

// set reads one key of a source.
func (l *loader) set(s *SourceConfig, key string, n node) (err error) {
	switch key {
	case "provider":
		return nil
	case provider.BaseURL:
		if s.BaseURL, err = n.text(); err != nil {
			return err
		}
		if err := checkURL(s.BaseURL); err != nil {
			return n.mistake("%v", err)
		}
		return nil
	case provider.ProjectID:
		s.ProjectID, err = n.text()
		return err
	case provider.AgentIDs:
		all, err := n.texts()
		s.AgentIDs = list(strings.Join(all, ","))
		return err
	case provider.Files:
		all, err := n.texts()
		for _, path := range all {
			path = l.abs(path)
			if info, bad := os.Stat(path); err == nil && (bad != nil || info.IsDir()) {
				return n.mistake("names %s, which is no file", path)
			}
			s.Files = append(s.Files, path)
		}
		return err
	}
	c, err := l.credential(n, key != "client_id")
	s.setCredential(key, c)
	return err
}

// credential reads a key that is there itself, or the name of the variable or
// file that holds it. One that is private must not be there itself where others
// can read it.
func (l *loader) credential(n node, private bool) (Secret, error) {
	s, err := n.text()
	if err != nil {
		return Secret{}, err
	}
	value := s
	switch from, name, _ := strings.Cut(s, ":"); {
	case from == "env":
		l.out.claimed[name] = true
		if value = strings.TrimSpace(l.env(name)); value == "" {
			return Secret{}, l.lose(n.mistake("is in the variable %s, which is not set", name))
		}
	case from == "file":
		if value, err = readKey(l.abs(name)); err != nil {
			return Secret{}, l.lose(n.mistake("cannot be read: %v", err))
		}
	case private && l.exposed:
		return Secret{}, n.mistake("is a key in a file that others can read; run: chmod 600 %s", quoted(n.file))
	}
	if err := checkKey(value); err != nil {
		return Secret{}, n.mistake("%v", err)
	}
	if value == "" {
		return Secret{}, n.mistake("is an empty key")
	}
	return NewSecret(value), nil
}

// lose notes a key that is not there. Commands that read no calls, and the
// sample calls, do without.
func (l *loader) lose(err error) error {
	if l.out.lost == nil {
		l.out.lost = err
	}
	return nil
}

// quoted is path as a shell takes it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func readKey(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKey))
	return strings.TrimSpace(string(b)), err
}
