package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// An option is a flag that the file may give, too, under the flag's name with
// underscores. It is declared once: the flag's tag file names its check, which may
// be "", and both ways of giving it are held to that.
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
)

// checks are what a tag file may name. Where a flag's type checks what it decodes,
// its check is for the file alone.
func checks() map[string]func(string) error {
	return map[string]func(string) error{
		"": nil, "path": nil, "mirror": checkMirror, "url": checkURL, "collector": checkCollector,
		"address": checkAddr, "host": checkHost, "origin": checkOrigin, "algorithm": checkAlgorithm, "auth": among(AuthNone, AuthToken, AuthOAuth),
		"positive": whole(checkPositive), "budget": whole(checkBudget), "calls": whole(checkLimit), "connections": whole(checkConnections),
		"zone": checkZone, "days": decoded(days), "span": decoded(span), "network": decoded(prefix),
	}
}

func keyOf(flag *kong.Flag) string { return strings.ReplaceAll(flag.Name, "-", "_") }

// optionsOf are all options of the grammar, by their keys.
func optionsOf(grammar *kong.Application) map[string]option {
	all, checks := map[string]option{}, checks()
	for _, command := range grammar.Leaves(false) {
		for _, flag := range slices.Concat(command.AllFlags(false)...) {
			if !flag.Tag.Has("file") {
				continue
			}
			name := flag.Tag.Get("file")
			o := option{check: checks[name], path: name == "path" || name == "mirror"}
			if flag.Enum != "" {
				o.check = among(slices.DeleteFunc(flag.EnumSlice(), func(s string) bool { return s == "" })...)
			}
			switch flag.Target.Kind() {
			case reflect.Int:
				o.kind = number
			case reflect.Bool:
				o.kind = truth
			case reflect.Slice:
				o.kind = texts
			}
			all[keyOf(flag)] = o
		}
	}
	return all
}

// checkFlags puts their checks to the flags of a group, or to those of no group and
// of the copy.
func checkFlags(parsed *kong.Context, http bool) error {
	checks := checks()
	for _, flag := range parsed.Flags() {
		check := checks[flag.Tag.Get("file")]
		if check == nil || flag.Tag.Has("from") || (flag.Group != nil && flag.Group.Key == "http") != http {
			continue
		}
		var values []string
		switch v := flag.Target.Interface().(type) {
		case string:
			values = slices.DeleteFunc([]string{v}, func(s string) bool { return s == "" })
		case int:
			values = []string{strconv.Itoa(v)}
		case []string:
			values = v
		}
		for _, v := range values {
			if err := check(v); err != nil {
				return flagged("--"+flag.Name, err)
			}
		}
	}
	return nil
}

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

// decoded checks that decode takes a text.
func decoded[T any](decode func(string) (T, error)) func(string) error {
	return func(s string) error {
		_, err := decode(s)
		return err
	}
}

func checkZone(s string) error {
	_, err := time.LoadLocation(s)
	if err != nil {
		return fmt.Errorf("is the unknown time zone %q; use a name such as UTC or Europe/Berlin", s)
	}
	return nil
}

func checkPositive(n int) error {
	if n < 1 {
		return fmt.Errorf("must be at least 1, not %d", n)
	}
	return nil
}

func checkBudget(n int) error {
	if n < MinBudget || n > MaxBudget {
		return fmt.Errorf("must be from %d to %d tokens, not %d", MinBudget, MaxBudget, n)
	}
	return nil
}
