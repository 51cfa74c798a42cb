package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is a key that does not print: every way of formatting, logging or
// encoding it says "[redacted]". The zero value is no secret at all.
//
// The value is behind a pointer because fmt, once a verb is wrong for what is
// around a Secret, prints its fields without asking its methods.
type Secret struct{ value *string }

// NewSecret is s as a Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal is the secret itself, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet says whether there is a secret.
func (s Secret) IsSet() bool { return s.value != nil }

// String hides the secret.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText hides the secret from encoders, JSON's included.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON hides the secret.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// secret reads a key from the variable name. Spaces and a newline around it,
// which files and forms leave, are no part of it.
func secret(name string, env func(string) string) (Secret, error) {
	v := strings.TrimSpace(env(name))
	if err := checkKey(v); err != nil {
		return Secret{}, Mistake("%s %v", name, err)
	}
	return NewSecret(v), nil
}

// checkKey finds what no key looks like, without repeating it.
func checkKey(v string) error {
	if strings.HasPrefix(v, "${") {
		return errors.New("holds the name of a variable that was not filled in; put the key itself there")
	}
	for _, r := range v {
		if r <= ' ' || r > '~' {
			return errors.New("holds a character that no key has, such as a space or a newline")
		}
	}
	return nil
}
