package config

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

const about = `Lets AI assistants read the call logs of voice agents, over the Model Context Protocol.

Without a command it serves. Cekura's calls are read with the key in CEKURA_API_KEY.`

// commands is the grammar of the command line.
type commands struct {
	Version bool `help:"Print the version."`

	Serve struct {
		Options `embed:""`
	} `cmd:"" default:"withargs" help:"Serve MCP on stdin and stdout (the default)."`
	Demo struct{} `cmd:"" help:"Walk through the sample calls: real tool calls, their answers, and how to connect."`
	Tool struct {
		ToolCall `embed:""`
		Options  `embed:""`
	} `cmd:"" help:"Run one tool and print its answer."`
	VersionCommand struct{} `cmd:"" name:"version" help:"Print the version."`
}

// Parse reads the command line (without the program's name) and the
// environment. Every error is an *Error. Help that was asked for goes to out,
// and the command is then Help.
func Parse(args []string, env func(string) string, out io.Writer) (Config, error) {
	var cmds commands
	helped := false
	parser, err := kong.New(&cmds,
		kong.Name("call-logs-mcp"), kong.Description(about),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Groups{"cekura": "Cekura (its key is read from CEKURA_API_KEY alone)"},
		kong.Vars{"max_budget": strconv.Itoa(MaxBudget)},
		kong.Writers(out, out), kong.Exit(func(int) { helped = true }),
		kong.TypeMapper(reflect.TypeFor[*time.Location](), kong.MapperFunc(zone)),
		kong.Resolvers(fromEnvironment(env)),
	)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err) // the grammar itself is wrong
	}
	parsed, err := parser.Parse(args)
	if helped {
		return Config{Command: Help}, nil
	}
	if err != nil {
		return Config{}, mistake("%v (call-logs-mcp --help lists the commands and flags)", err)
	}
	c := Config{Command: Command(parsed.Selected().Name)}
	switch {
	case cmds.Version || c.Command == Version:
		return Config{Command: Version}, nil
	case c.Command == Demo:
		// What serving the demo would have, from nothing around it.
		c, err = Parse([]string{"--demo"}, func(string) string { return "" }, out)
		c.Command = Demo
		return c, err
	case c.Command == Tool:
		c.Options, c.Tool = cmds.Tool.Options, cmds.Tool.ToolCall
	default:
		c.Options = cmds.Serve.Options
	}
	if err := c.check(); err != nil {
		return Config{}, err
	}
	c.Cekura.Key, err = secret("CEKURA_API_KEY", env)
	return c, err
}

// fromEnvironment gives a flag with a tag `from` the value of that variable.
// Kong's own tag `env` would read the process's environment, even in tests.
func fromEnvironment(env func(string) string) kong.ResolverFunc {
	return func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := flag.Tag.Get("from")
		if name == "" {
			return nil, nil
		}
		if v := strings.TrimSpace(env(name)); v != "" {
			return v, nil
		}
		return nil, nil
	}
}

// zone decodes a time zone by its name in the IANA database.
func zone(ctx *kong.DecodeContext, target reflect.Value) error {
	var name string
	if err := ctx.Scan.PopValueInto("zone", &name); err != nil {
		return err
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return fmt.Errorf("unknown time zone %q; use a name such as UTC or Europe/Berlin", name)
	}
	target.Set(reflect.ValueOf(loc))
	return nil
}

// check finds what the grammar cannot say.
func (o Options) check() error {
	if o.MaxFetch < 1 {
		return mistake("--max-fetch must be at least 1, not %d", o.MaxFetch)
	}
	if o.Budget < MinBudget || o.Budget > MaxBudget {
		return mistake("--budget must be from %d to %d tokens, not %d", MinBudget, MaxBudget, o.Budget)
	}
	for _, file := range o.Data {
		if file == "-" {
			return mistake("--data cannot be stdin, which is the client's")
		}
	}
	return checkBaseURL("--cekura-base-url (CEKURA_BASE_URL)", o.Cekura.BaseURL)
}

// checkBaseURL allows https, and plain http on loopback alone: a key travels
// with every request. It does not repeat the URL, which may hold a password.
func checkBaseURL(name, base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return mistake("%s is not a URL such as https://api.example.com", name)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return mistake("%s must not hold a user, a query or a fragment", name)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return mistake("%s must be https: the key would be sent in the clear; plain http is for loopback only", name)
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
