package tools

import (
	"context"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// Links says whether an answer links the calls that it names, as resources. Some
// clients fail a call whose answer holds a link; to those who take them, a link
// is what a person can open.
type Links string

// LinksAuto links for the clients that are known to take links.
const (
	LinksAuto   Links = "auto"
	LinksAlways Links = "always"
)

// mostLinks bounds the links of one answer.
const mostLinks = 10

// A linked answer names calls.
type linked interface {
	// links are the calls that the answer is about, the first the most.
	links() []*call.Log
}

// link appends links to the calls of a to result, for clients that take them.
func (d Deps) link(ctx context.Context, a answer, result *mcp.CallToolResult) {
	about, ok := a.(linked)
	if !ok || result.IsError || d.Links != LinksAlways && (d.Links != LinksAuto || !takesLinks(clientOf(ctx))) {
		return
	}
	logs := about.links()
	for _, l := range logs[:min(len(logs), mostLinks)] {
		result.Content = append(result.Content, mcp.NewResourceLink(l.ID.URI()+"/transcript", render.Clean(l.ID.String()), "The transcript of this call.", "text/plain"))
	}
}

// clientOf is the program at the other end, as it calls itself.
func clientOf(ctx context.Context) string {
	if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.ClientInfo != nil {
		return info.ClientInfo.Name
	}
	if s, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo); ok {
		return s.GetClientInfo().Name
	}
	return ""
}

// takesLinks holds of the clients whose makers say so. Codex fails such a call,
// and Cline's older versions do.
func takesLinks(client string) bool {
	client = strings.ToLower(client)
	for _, known := range []string{"visual studio code", "claude-code", "mcp-inspector", "inspector-client"} {
		if strings.HasPrefix(client, known) {
			return true
		}
	}
	return false
}

func (a listed) links() []*call.Log  { return a.page.Logs }
func (a record) links() []*call.Log  { return []*call.Log{a.log} }
func (a reading) links() []*call.Log { return []*call.Log{a.part.Log} }
