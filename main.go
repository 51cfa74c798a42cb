// call-logs-mcp lets AI assistants read the call logs of voice agents.
package main

import "call-logs-mcp/internal/app"

// version is set when the binary is built.
var version = "dev"

func main() { app.Main(version) }
