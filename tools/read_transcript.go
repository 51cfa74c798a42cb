package tools

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

type readArgs struct {
	ID       string `json:"id" jsonschema_description:"As in get_call_log."`
	FromTurn int    `json:"from_turn,omitempty" jsonschema:"minimum=1"`
	Offset   *int   `json:"offset,omitempty" jsonschema:"minimum=0" jsonschema_description:"With from_turn: that turn alone, from this character on, to read a long one in parts."`
	ToTurn   int    `json:"to_turn,omitempty" jsonschema:"minimum=1"`
	Around   string `json:"around,omitempty" jsonschema_description:"A turn number or a time MM:SS; what stands around it is read outward."`
	Match    string `json:"match,omitempty" jsonschema_description:"Only turns that hold these words, with their neighbours."`
	format
}

func readTranscript(d Deps) server.ServerTool {
	return define[readArgs, readingData](spec{
		name:  "read_transcript",
		title: "Read a transcript",
		description: "Show me these turns: all, from_turn to to_turn, around a turn or time, or those that match words. " +
			"The answer says what was left out and which call shows it.",
	}, d, func(ctx context.Context, d Deps, in readArgs) (answer, error) {
		l, err := d.one(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if in.Offset != nil {
			return d.longTurn(l, in)
		}
		a := reading{d: d, match: in.Match}
		if a.part, err = (render.Request{From: in.FromTurn, To: in.ToTurn, Around: in.Around, Match: in.Match}).Of(l); err != nil {
			return nil, err
		}
		a.fence, err = render.NewFence(rand.Reader)
		return a, err
	})
}

// A reading is a part of a transcript.
type reading struct {
	d     Deps
	part  render.Part
	match string
	fence render.Fence
}

func (a reading) text(budget int) string {
	notes := ""
	for _, n := range a.part.Log.Notes {
		notes += render.Clean(n) + "\n"
	}
	return notes + a.part.Text(budget-render.Tokens(notes), a.fence, func(o render.Span) string {
		again := fmt.Sprintf("read_transcript id=%q from_turn=%d to_turn=%d", a.part.Log.ID, o.FromTurn, o.ToTurn)
		if a.match != "" {
			again += fmt.Sprintf(" match=%q", a.match)
		}
		return again
	})
}

// longTurn is a part of one turn.
func (d Deps) longTurn(l *call.Log, in readArgs) (answer, error) {
	if in.Around != "" || in.Match != "" || in.ToTurn > in.FromTurn {
		return nil, &call.Error{Kind: call.Invalid, Msg: "offset reads one turn in parts; it goes with from_turn alone."}
	}
	t, err := render.Long(l, in.FromTurn, *in.Offset)
	if err != nil {
		return nil, err
	}
	fence, err := render.NewFence(rand.Reader)
	return partial{d, t, fence}, err
}

// partial is a part of one turn.
type partial struct {
	d     Deps
	turn  render.LongTurn
	fence render.Fence
}

func (a partial) text(budget int) string {
	return a.turn.Text(budget, a.fence, func(offset int) string {
		return fmt.Sprintf("read_transcript id=%q from_turn=%d offset=%d", a.turn.Log.ID, a.turn.Turn.Index, offset)
	})
}

func (a partial) data(budget int) any {
	t := a.turn.Turn
	d := turnData{lineData: lineData{Turn: t.Index, Role: string(t.Role)}}
	if t.Start != nil {
		d.At = render.At(*t.Start)
	}
	notes, next := a.d.sampleNotes(), 0
	if d.Text, next = a.turn.Part(budget / 2); next > 0 {
		notes = append(notes, fmt.Sprintf("the turn goes on: from_turn=%d offset=%d", t.Index, next))
	}
	return readingData{
		ID: render.Clean(a.turn.Log.ID.String()), URI: a.turn.Log.ID.URI(), Notes: notes,
		transcriptData: transcriptData{TotalTurns: len(a.turn.Log.Turns), Turns: []turnData{d}, Omitted: []omittedData{}},
	}
}

// readingData is a reading as data.
type readingData struct {
	ID  string `json:"id"`
	URI string `json:"uri" trust:"ours"`
	transcriptData
	Notes []string `json:"notes"`
}

func (a reading) data(budget int) any {
	t := chosen(a.part.Turns, a.part.Excerpt, budget-60)
	t.TotalTurns = len(a.part.Log.Turns)
	return readingData{ID: render.Clean(a.part.Log.ID.String()), URI: a.part.Log.ID.URI(), transcriptData: t, Notes: append(a.d.sampleNotes(), a.part.Log.Notes...)}
}
