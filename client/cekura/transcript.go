package cekura

import (
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

// turns reads a transcript from the best of its two forms: the entries of the
// object, else the text.
func (r *record) turns() []call.Turn {
	h := loose.Hint{Start: r.Timestamp.Time, Length: r.Duration.V, Unit: time.Second}
	return loose.Transcript(h, r.Object, r.Transcript)
}
