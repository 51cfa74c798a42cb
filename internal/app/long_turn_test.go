package app

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is asked for is not what is left out of a long turn; a long turn is read
// in parts, and each answer names the next.
func TestLongTurnsAreReadInParts(t *testing.T) {
	var words, slots []string
	for i := range 3000 {
		words = append(words, fmt.Sprintf("w%d", i))
		slots = append(slots, fmt.Sprintf(`{"at":%d,"doctor":"Dr %d"}`, i, i))
	}
	words[1500] += " the boiler broke"
	speech := strings.Join(words, " ")
	record := func(id, turn string) string {
		return fmt.Sprintf(`{"conversation_id":%q,"started_at":"2026-11-20T10:00:00Z","turns":[{"role":"agent","text":"Go on."},%s,{"role":"agent","text":"I see."}]}`, id, turn)
	}
	c := over(t, []string{
		record("v", fmt.Sprintf(`{"role":"caller","text":%q}`, speech)),
		record("t", `{"role":"tool","tool_name":"slots","tool_args":{},"tool_result":{"slots":[`+strings.Join(slots, ",")+`]}}`),
	})
	text := textOf(t, ask(t, c, "read_transcript", `{"id":"v","match":"boiler"}`))
	assert.Contains(t, text, "the boiler broke")
	assert.Contains(t, text, "words left out")
	assert.Contains(t, text, `read_transcript id="file/v" from_turn=2 offset=0`)
	assert.Contains(t, textOf(t, ask(t, c, "read_transcript", `{"id":"t","match":"\"doctor dr 1777\""}`)), "Dr 1777")
	assert.Contains(t, textOf(t, ask(t, c, "search_transcripts", `{"query":"\"doctor dr 1777\""}`)), `«doctor":"Dr 1777»`)
	assert.Contains(t, textOf(t, ask(t, c, "search_transcripts", `{"query":"boiler"}`)), "«boiler»")

	goesOn := regexp.MustCompile(`goes on: read_transcript id="file/v" from_turn=2 offset=(\d+)`)
	var read strings.Builder
	for offset, parts := "0", 0; offset != ""; parts++ {
		require.Less(t, parts, 50)
		text := textOf(t, ask(t, c, "read_transcript", `{"id":"v","from_turn":2,"max_tokens":2000,"offset":`+offset+`}`))
		_, part, _ := strings.Cut(text, "2 caller: ")
		part, _, _ = strings.Cut(part, "\n")
		read.WriteString(part + " ")
		m := goesOn.FindStringSubmatch(text)
		if offset = ""; m != nil {
			offset = m[1]
		}
	}
	assert.Equal(t, strings.Fields(speech), strings.Fields(read.String()), "all parts are the turn")
	for _, args := range []string{`{"id":"v","from_turn":2,"offset":999999}`, `{"id":"v","offset":5}`, `{"id":"v","from_turn":1,"offset":5,"match":"x"}`} {
		assert.True(t, ask(t, c, "read_transcript", args).IsError, args)
	}
}
