package cekura

import "call-logs-mcp/client/provider"

const apiKey = "api_key"

// Spec declares Cekura. Its windows are 33 days wide, its keys are numbers that
// grow, and its list filters by both.
func Spec() provider.Spec {
	return provider.Spec{
		Name: "cekura", Title: "Cekura", BaseURL: BaseURL,
		Logins: []provider.Login{{apiKey}},
		Narrow: []provider.Setting{
			{Key: provider.ProjectID, Placeholder: "ID", Help: "Only calls of this project"},
			{Key: provider.AgentIDs, Flag: "agent-id", Placeholder: "ID", Help: "Only calls of this agent, or of several with commas between"},
		},
		Lists: provider.Capabilities{TimeFilter: true, IDFilter: true, Gets: true, PageSize: 500},
		Open:  New,
	}
}
