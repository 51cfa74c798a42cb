package cekura

import (
	"encoding/json"
	"strings"
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

// entry is one element of transcript_object.
type entry struct {
	Role      loose.Text   `json:"role"`
	Content   loose.Text   `json:"content"`
	Start     loose.Number `json:"start_time"`
	End       loose.Number `json:"end_time"`
	Timestamp loose.Number `json:"timestamp"`
	Data      struct {
		ID        loose.Text      `json:"id"`
		Name      loose.Text      `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Result    json.RawMessage `json:"result"`
	} `json:"data"`
}

// turns reads a transcript from the best of its two forms: the entries of the
// object, else the lines of the text, else the text as it is.
func turns(object, plain json.RawMessage, start time.Time) []call.Turn {
	var (
		entries []entry
		script  loose.Text
	)
	if b := loose.Unwrap(object); len(b) > 0 && b[0] == '[' {
		_ = json.Unmarshal(b, &entries) // an odd entry is left zero and skipped
	}
	said := make([]loose.Entry, len(entries))
	for i, e := range entries {
		said[i] = e.said(start)
	}
	if turns := loose.Turns(said); len(turns) > 0 {
		return turns
	}
	_ = script.UnmarshalJSON(plain)
	return loose.Lines(string(script))
}

func (e entry) said(start time.Time) loose.Entry {
	out := loose.Entry{
		Role: string(e.Role), Words: strings.TrimSpace(string(e.Content)),
		ID: string(e.Data.ID), Name: string(e.Data.Name),
		Args: loose.Compact(e.Data.Arguments), Result: loose.Compact(e.Data.Result),
		Start: loose.Offset(e.Start, start), End: loose.Offset(e.End, start),
	}
	if out.Start == nil {
		out.Start = loose.Offset(e.Timestamp, start)
	}
	return out
}
