package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// newToken makes a token: it is shown here once, and the file has its hash.
func newToken(c config.TokenCall, now time.Time, out io.Writer) error {
	var expires time.Time
	until := ""
	if c.Expires > 0 {
		expires = now.Add(c.Expires).UTC().Truncate(time.Second)
		until = " It lets in until " + expires.Format("2006-01-02 15:04 UTC") + "."
	}
	plain, line, err := serve.NewToken(c.Name, c.Scopes, c.Filter, expires)
	if err != nil {
		return config.Mistake("%v", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.Tokens), 0o700); err != nil {
		return err
	}
	known, err := os.ReadFile(c.Tokens)
	if err == nil && strings.Contains(string(known), fmt.Sprintf(`"name":%q`, c.Name)) {
		return config.Mistake("%s holds a token of %s already; remove its line, or choose another name", c.Tokens, c.Name)
	}
	if len(known) > 0 && known[len(known)-1] != '\n' {
		line = "\n" + line // the last line was written by hand
	}
	f, err := os.OpenFile(c.Tokens, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n\nThis is the only time that it is shown.%s Its hash is in %s; serve with --http ADDR --auth token, and send it as\n\n   Authorization: Bearer %s\n", plain, until, c.Tokens, plain)
	return err
}
