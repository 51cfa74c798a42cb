package config

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"call-logs-mcp/internal/filter"
)

// A node is a value in the file, with the way to it. No mistake in it repeats
// the value, which may be a key that stands in the wrong place.
type node struct {
	*yaml.Node
	file string
	path string // "" is the whole file
}

// read returns the one document in r, nil if there is none.
func read(name string, r io.Reader) (*node, error) {
	dec := yaml.NewDecoder(r)
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		what, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "'") // what it quotes may be a key
		return nil, Mistake("%s is no YAML: %s", name, strings.TrimSpace(what))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, Mistake("%s holds more than one document", name)
	}
	if len(doc.Content) != 1 || empty(doc.Content[0]) {
		return nil, nil
	}
	return &node{doc.Content[0], name, ""}, nil
}

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// mistake says what is wrong, and where.
func (n node) mistake(format string, args ...any) error {
	where := fmt.Sprintf("%s:%d: ", n.file, n.Line)
	if n.path != "" {
		where += n.path + " "
	}
	return Mistake("%s%s", where, fmt.Sprintf(format, args...))
}

// child is the value below n that is called name.
func (n node) child(name string, value *yaml.Node) node {
	path := name
	if n.path != "" {
		path = n.path + "." + name
	}
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	return node{value, n.file, path}
}

// fields are the keys of n and their values, as they stand there.
func (n node) fields() (names []string, values map[string]node, err error) {
	if n.Kind != yaml.MappingNode {
		return nil, nil, n.mistake("must be keys and values, not %s", n.what())
	}
	values = map[string]node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := node{key, n.file, n.path}
		switch _, twice := values[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			return nil, nil, at.mistake("has a key that is no word")
		case twice:
			return nil, nil, at.mistake("has %q twice", key.Value)
		}
		value := n.child(key.Value, n.Content[i+1])
		value.Node = located(value.Node, key.Line)
		names, values[key.Value] = append(names, key.Value), value
	}
	return names, values, nil
}

// located is v with a line, which a missing value has none of.
func located(v *yaml.Node, line int) *yaml.Node {
	if v.Line > 0 {
		return v
	}
	with := *v
	with.Line = line
	return &with
}

// known refuses a key that is not among keys.
func (n node) known(names, keys []string, of string) error {
	for i, name := range names {
		if slices.Contains(keys, name) {
			continue
		}
		at := n.child(name, n.Content[2*i])
		if near := closest(name, keys); near != "" {
			return at.mistake("is unknown; did you mean %s?", near)
		}
		return at.mistake("is unknown; %s has %s", of, strings.Join(keys, ", "))
	}
	return nil
}

// closest is the key that name was probably meant to be; "" if there is none. The
// beginning of a key means the first that begins so.
func closest(name string, keys []string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	if i := slices.IndexFunc(keys, func(key string) bool { return strings.HasPrefix(key, name+"_") }); i >= 0 {
		return keys[i]
	}
	return filter.Closest(name, keys)
}

// what n is, in words.
func (n node) what() string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!timestamp":
		return "a date"
	}
	return "text"
}

// text is n as it is written: a word, or a number such as that of a project.
func (n node) text() (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Tag == "!!bool" {
		return "", n.mistake("must be text, not %s", n.what())
	}
	return strings.TrimSpace(n.Value), nil
}

// number is n as it is written, if it is a whole number.
func (n node) number() (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" {
		return "", n.mistake("must be a whole number, not %s", n.what())
	}
	return n.Value, nil
}

// truth is n as it is written, if it is true or false.
func (n node) truth() (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		return "", n.mistake("must be true or false, not %s", n.what())
	}
	return strings.ToLower(n.Value), nil
}

// texts is a list, or the one text of which it would consist.
func (n node) texts() ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		one, err := n.text()
		return []string{one}, err
	}
	if n.Kind != yaml.SequenceNode {
		return nil, n.mistake("must be a list, not %s", n.what())
	}
	var all []string
	for i, item := range n.Content {
		one, err := n.child(fmt.Sprintf("%d", i+1), item).text()
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
