package config

import (
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"call-logs-mcp/client/provider"
)

const about = `Lets AI assistants read the call logs of voice agents, over the Model Context Protocol.

Without a command it serves. %s's calls are read with the key in %s.`

// serving is the part of the grammar that serves.
type serving struct {
	Version bool `help:"Print the version."`

	Serve struct {
		Options `embed:""`
		Traces  `embed:""`
		HTTP    `embed:"" group:"http"`
	} `cmd:"" default:"withargs" help:"Serve MCP on stdin and stdout (the default), or over HTTP."`
}

// commands is the grammar of the command line.
type commands struct {
	serving
	Demo struct{} `cmd:"" help:"Walk through the sample calls: real tool calls, their answers, and how to connect."`
	Tool struct {
		ToolCall `embed:""`
		Options  `embed:""`
	} `cmd:"" help:"Run one tool and print its answer."`
	Sync struct {
		SyncCall `embed:""`
		Place    `embed:""`
	} `cmd:"" help:"Fill the local copy of the calls, so that questions are answered at once."`
	Purge struct {
		PurgeCall `embed:""`
		Place     `embed:""`
	} `cmd:"" help:"Remove calls from the local copy."`
	Status struct {
		Place `embed:""`
	} `cmd:"" help:"Say what the local copy holds."`
	Doctor struct {
		Place `embed:""`
	} `cmd:"" help:"Check that every source can be read, and say what to do where not."`
	Token struct {
		New struct {
			TokenCall `embed:""`
			File      string `name:"config" placeholder:"FILE" help:"Options in YAML, of which tokens is read."`
		} `cmd:"" help:"Make a token, print it once and keep its hash."`
	} `cmd:"" help:"Say who may read calls over HTTP."`
	VersionCommand struct{} `cmd:"" name:"version" help:"Print the version."`
}

// Parse reads the command line (without the program's name), the environment
// and the configuration file, of which providers say what concerns them. Every
// error is an *Error, or *Exposed. Help that was asked for goes to out, and the
// command is then Help.
func Parse(providers []provider.Spec, args []string, env func(string) string, out io.Writer) (Config, error) {
	if len(args) > 0 && args[0] == "help" { // of the program, or of the command behind it
		args = append(slices.Clone(args[1:]), "--help")
	}
	var cmds commands
	if serves(args) {
		// Building the grammar of all commands takes longer than the rest of a start.
		if c, err := cmds.parse(&cmds.serving, cmds.places()[:1], providers, args, env, io.Discard); err == nil {
			return c, nil
		}
		cmds = commands{} // whatever is wrong is said of the whole
	}
	return cmds.parse(&cmds, cmds.places(), providers, args, env, out)
}

// serves tells a command line that may serve, without help: its first word is a
// flag, or says so.
func serves(args []string) bool {
	return !slices.Contains(args, "--help") && !slices.Contains(args, "-h") &&
		(len(args) == 0 || args[0] == "serve" || strings.HasPrefix(args[0], "-"))
}

// parse is Parse by a grammar with places, which is cmds or a part of it.
func (cmds *commands) parse(grammar any, places []*Place, providers []provider.Spec, args []string, env func(string) string, out io.Writer) (Config, error) {
	var f *file
	helped := false
	parser, err := newParser(grammar, places, providers,
		kong.Writers(out, out), kong.Exit(func(int) { helped = true }),
		// The last that knows a value wins.
		kong.Resolvers(kong.ResolverFunc(func(c *kong.Context, p *kong.Path, flag *kong.Flag) (any, error) { return f.resolve(c, p, flag) }), fromEnvironment(env)),
	)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err) // the grammar itself is wrong
	}
	f, broken := load(providers, parser.Model, configFlag(parser, args), env)
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return Config{Command: Help}, nil
	case err == nil && (cmds.Version || parsed.Command() == string(Version)):
		return Config{Command: Version}, nil
	case err == nil && parsed.Command() == string(Demo):
		// What serving the demo would have, from nothing around it.
		c, err := Parse(providers, []string{"--demo"}, func(string) string { return "" }, out)
		c.Command = Demo
		return c, err
	case broken != nil:
		return Config{}, broken
	case err != nil:
		return Config{}, Mistake("%v (call-logs-mcp --help lists the commands and flags)", err)
	}
	c := cmds.config(parsed)
	if err := c.settle(providers, parsed, f, env); err != nil {
		return Config{}, err
	}
	return c, nil
}

// newParser reads by a grammar, whose places get the flags of providers.
func newParser(grammar any, places []*Place, providers []provider.Spec, more ...kong.Option) (*kong.Kong, error) {
	groups := kong.Groups{"copy": "Local copy", "http": "HTTP (instances behind a load balancer share CALL_LOGS_CURSOR_SECRET)"}
	for _, s := range providers {
		groups[s.Name] = groupOf(s)
		for _, p := range places {
			p.Flags = append(p.Flags, flagsOf(s))
		}
	}
	first := providers[0]
	return kong.New(grammar, append([]kong.Option{
		kong.Name("call-logs-mcp"), kong.Description(fmt.Sprintf(about, first.Title, first.Needs(first.Variable))),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}), groups,
		kong.Vars{"max_budget": strconv.Itoa(MaxBudget), "scopes": "calls:read,transcripts:read,pii:read"},
		kong.TypeMapper(reflect.TypeFor[*time.Location](), kong.MapperFunc(zone)),
		kong.TypeMapper(reflect.TypeFor[netip.Prefix](), kong.MapperFunc(decodePrefix)),
		kong.NamedMapper("days", kong.MapperFunc(decodeDays)), kong.NamedMapper("span", decodeSpan(0)), kong.NamedMapper("life", decodeSpan(time.Minute)),
	}, more...)...)
}

// places are where calls come from, of each command that asks, serving first.
func (cmds *commands) places() []*Place {
	return []*Place{&cmds.Serve.Place, &cmds.Tool.Place, &cmds.Sync.Place, &cmds.Purge.Place, &cmds.Status.Place, &cmds.Doctor.Place}
}

// configFlag is the file that the flag --config names. It has to be known before
// the other flags are, and a wrong command line is no matter yet.
func configFlag(parser *kong.Kong, args []string) string {
	trace, err := kong.Trace(parser, args)
	if err != nil {
		return ""
	}
	path := ""
	for _, p := range trace.Path {
		if p.Flag != nil && p.Flag.Name == "config" {
			path, _ = trace.FlagValue(p.Flag).(string)
		}
	}
	return path
}

// config is what the chosen command was told.
func (cmds *commands) config(parsed *kong.Context) Config {
	node := parsed.Selected()
	c := Config{Command: Command(node.Name)}
	switch c.Command {
	case Tool:
		c.Options, c.Tool = cmds.Tool.Options, cmds.Tool.ToolCall
	case Sync:
		c.Place, c.Sync = cmds.Sync.Place, cmds.Sync.SyncCall
	case Purge:
		c.Place, c.Purge = cmds.Purge.Place, cmds.Purge.PurgeCall
	case Status:
		c.Place = cmds.Status.Place
	case Doctor:
		c.Place = cmds.Doctor.Place
	case "new":
		c.Command, c.Token = NewToken, cmds.Token.New.TokenCall
	default:
		c.Options, c.HTTP, c.Traces = cmds.Serve.Options, cmds.Serve.HTTP, cmds.Serve.Traces
	}
	c.Flags = nil
	return c
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
