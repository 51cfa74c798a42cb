package file

import (
	"cmp"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/internal/call"
)

// Spec declares files of calls.
func Spec() provider.Spec {
	return provider.Spec{
		Name: "file", Title: "Files", Files: true,
		Lists: provider.Capabilities{TimeFilter: true, Gets: true, PageSize: 500},
		Open: func(o provider.Options) (call.Source, error) {
			return OpenIn(o.Zone, cmp.Or(o.Name, "file"), o.Files...)
		},
	}
}
