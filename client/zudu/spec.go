package zudu

import "call-logs-mcp/client/provider"

const (
	apiKey    = "api_key"
	apiSecret = "api_secret"
)

// Spec declares Zudu. The few calls without a call_id cannot be got by it, and are
// looked for among the newest.
func Spec() provider.Spec {
	return provider.Spec{
		Name: "zudu", Title: "Zudu", BaseURL: BaseURL,
		Logins: []provider.Login{{apiKey, apiSecret}},
		Narrow: []provider.Setting{{Key: provider.AgentIDs, Placeholder: "ID", Help: "Only calls of these agents", List: true}},
		Lists:  provider.Capabilities{Gets: true},
		Open:   New,
	}
}
