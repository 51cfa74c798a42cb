package telzino

import "call-logs-mcp/client/provider"

const (
	clientID     = "client_id"
	clientSecret = "client_secret"
	readyToken   = "token" // used as it is, without a client
)

// Spec declares Telzino. Its lists filter nothing, and it has no question for one
// call.
func Spec() provider.Spec {
	return provider.Spec{
		Name: "telzino", Title: "Telzino", BaseURL: BaseURL,
		Logins: []provider.Login{{clientID, clientSecret}, {readyToken}},
		Narrow: []provider.Setting{{Key: provider.AgentIDs, Placeholder: "ID", Help: "Only calls of these agents", List: true}},
		Lists:  provider.Capabilities{}, // none
		Open:   New,
	}
}
