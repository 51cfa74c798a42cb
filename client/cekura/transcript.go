package cekura

import (
	"encoding/json"
	"strings"
	"time"

	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
)

// entry is one element of transcript_object.
type entry struct {
	Role      wire.Text   `json:"role"`
	Content   wire.Text   `json:"content"`
	Start     wire.Number `json:"start_time"`
	End       wire.Number `json:"end_time"`
	Timestamp wire.Number `json:"timestamp"`
	Data      struct {
		ID        wire.Text       `json:"id"`
		Name      wire.Text       `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Result    json.RawMessage `json:"result"`
	} `json:"data"`
}

// turns reads a transcript from the best of its two forms: the entries of the
// object, else the lines of the text, else the text as it is.
func turns(object, plain json.RawMessage, start time.Time) []call.Turn {
	var (
		entries []entry
		script  wire.Text
	)
	if b := wire.Unwrap(object); len(b) > 0 && b[0] == '[' {
		_ = json.Unmarshal(b, &entries) // an odd entry is left zero and skipped
	}
	said := make([]wire.Entry, len(entries))
	for i, e := range entries {
		said[i] = e.said(start)
	}
	if turns := wire.Turns(said); len(turns) > 0 {
		return turns
	}
	_ = script.UnmarshalJSON(plain)
	return wire.Lines(string(script))
}

func (e entry) said(start time.Time) wire.Entry {
	out := wire.Entry{
		Role: string(e.Role), Words: strings.TrimSpace(string(e.Content)),
		ID: string(e.Data.ID), Name: string(e.Data.Name),
		Args: wire.Compact(e.Data.Arguments), Result: wire.Compact(e.Data.Result),
		Start: wire.Offset(e.Start, start), End: wire.Offset(e.End, start),
	}
	if out.Start == nil {
		out.Start = wire.Offset(e.Timestamp, start)
	}
	return out
}
