package loose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

var start = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)

func hint() loose.Hint {
	return loose.Hint{Start: start, Length: new(70 * time.Second), Unit: time.Second}
}

// lines writes turns as "0:02 agent: words", one on a line.
func lines(turns []call.Turn) string {
	var b strings.Builder
	for _, t := range turns {
		if t.Start != nil {
			fmt.Fprintf(&b, "%g", t.Start.Seconds())
			if t.End != nil {
				fmt.Fprintf(&b, "-%g", t.End.Seconds())
			}
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "%s: %s", t.Role, t.Text)
		if t.Tool != nil {
			fmt.Fprintf(&b, "%s(%s) = %s %s", t.Tool.Name, t.Tool.Args, t.Tool.Result, t.Tool.Outcome())
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Whatever shape the entries of a transcript have, what was said is read, and
// by whom.
func TestEntries(t *testing.T) {
	talk := "agent: Hello\ncaller: I want to cancel"
	for entries, want := range map[string]string{
		`[{"role":"assistant","content":["Hello"]},{"role":"user","content":[{"type":"text","text":"I want to cancel"}]}]`:                                                          talk,
		`[{"role":"bot","message":"Hello"},{"role":"customer","message":"I want to cancel"}]`:                                                                                       talk,
		`[{"role":"model","parts":[{"text":"Hello"}]},{"role":"user","parts":[{"text":"I want to cancel"}]}]`:                                                                       talk,
		`[{"role":"AI Assistant","text":"Hello"},{"role":"Caller","text":"I want to cancel"}]`:                                                                                      talk,
		`[{"speaker":"Agent 1","utterance":"Hello"},{"speaker":"Customer 2","utterance":"I want to cancel"}]`:                                                                       talk,
		`[{"speaker":"callee","text":"Hello"},{"speaker":"caller","text":"I want to cancel"}]`:                                                                                      talk,
		`[{"speaker":"agent","text":"Hello"},{"speaker":"callee","text":"I want to cancel"}]`:                                                                                       talk,
		`[{"speaker":{"role":"agent","name":"Ada"},"text":"Hello"},{"participant":"CUSTOMER","transcript":"I want to cancel"}]`:                                                     talk,
		`{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"I want to cancel"}]}`:                                                                        talk,
		`{"items":[{"type":"message","role":"assistant","content":["Hello"],"interrupted":true},{"type":"message","role":"user","content":["I want to cancel"]}]}`:                  talk,
		`[{"type":"message","message":{"role":"assistant","content":[{"type":"audio","transcript":"Hello"}]}},{"message":{"author":{"role":"user"},"content":"I want to cancel"}}]`: talk,
		`"[{\"role\":\"agent\",\"content\":\"Hello\"},{\"role\":\"user\",\"content\":\"I want to cancel\"}]"`:                                                                       talk,
		`[{"role":"agent","words":[{"word":"Hello","start":0,"end":1}]},{"role":"user","words":[{"word":"I want","start":2.5,"end":3},{"word":"to cancel","start":3,"end":4}]}]`:    "0-1 agent: Hello\n2.5-4 caller: I want to cancel",
		`[{"role":"agent","message":"Hi","tool_calls":null,"time_in_call_secs":0},{"role":"user","message":"Bye","time_in_call_secs":3}]`:                                           "0 agent: Hi\n3 caller: Bye",
		`[{"role":"assistant","content":"Hi"},{"role":"user","content":null,"id":"x"},{"role":"user","content":""}]`:                                                                "agent: Hi",
		`["Hello", "Bye"]`: "speaker: Hello\nspeaker: Bye",
		`[{"text":"Hello"},{"speaker":"Anna","text":"Bye"}]`:                                                 "speaker: Hello\nspeaker: Anna: Bye",
		`[{"speaker":"agent","text":"Hello"},{"speaker":"Anna","text":"Bye"}]`:                               "agent: Hello\ncaller: Anna: Bye",
		`[{"role":"nurse","text":"Hello"},{"role":"patient","text":"Bye"}]`:                                  "agent: nurse: Hello\ncaller: Bye",
		`[{"role":"ivr","text":"Hello"},{"role":"speaker_customer","text":"Bye"}]`:                           "agent: Hello\ncaller: Bye",
		`[{"role":"Agente","text":"Hello"},{"role":"Cliente","text":"Bye"}]`:                                 "agent: Hello\ncaller: Bye",
		`[{"role":"assistant_speech","text":"Hello"},{"role":"narrator","text":"Bye"}]`:                      "agent: Hello\nsystem: narrator: Bye",
		`[["agent","Hello"],["caller","Bye"]]`:                                                               "agent: Hello\ncaller: Bye",
		`[{"agent":"Hello"},{"caller":"Bye"}]`:                                                               "agent: Hello\ncaller: Bye",
		`[{"user":"Hello","assistant":"Bye"}]`:                                                               "caller: Hello\nagent: Bye",
		`["Agent: Hello","Caller: Bye"]`:                                                                     "agent: Hello\ncaller: Bye",
		`[{"is_user":false,"text":"Hello"},{"is_user":true,"text":"Bye"}]`:                                   "agent: Hello\ncaller: Bye",
		`[{"type":"ai","data":{"content":"Hello"}},{"type":"human","data":{"content":"Bye"}}]`:               "agent: Hello\ncaller: Bye",
		`[{"role":"assistant","message":{"content":"Hello"}},{"role":"user","message":{"content":"Bye"}}]`:   "agent: Hello\ncaller: Bye",
		`[{"participantPurpose":"agent","phrase":"Hello"},{"participantPurpose":"external","phrase":"Bye"}]`: "agent: Hello\ncaller: Bye",
	} {
		assert.Equal(t, want, lines(loose.Transcript(hint(), json.RawMessage(entries))), entries)
	}
}

// Calls of tools are read beside, within and without what an assistant says.
func TestEntriesOfTools(t *testing.T) {
	found := `tool: find({"id":5}) = {"n":1} worked`
	for entries, want := range map[string]string{
		`[{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"find","input":{"id":5}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"text":"{\"n\":1}"}]}}]}]`:                                                       found,
		`[{"type":"function_call","call_id":"t","name":"find","arguments":"\"{\\\"id\\\":5}\""},{"type":"function_call_output","call_id":"t","output":[{"type":"input_text","text":"{\"n\":1}"}]}]`:                                                           found,
		`[{"role":"agent","tool_calls":[{"request_id":"t","tool_name":"find","params_as_json":"{}"}],"tool_results":[{"request_id":"t","result_value":"","is_error":true,"raw_error_message":"dns"}]}]`:                                                       `tool: find({}) = dns failed`,
		`[{"role":"tool_call_invocation","tool_call_id":"t","name":"find","arguments":"{}"},{"role":"tool_call_result","tool_call_id":"t","content":"Failed payments guide","successful":true}]`:                                                              `tool: find({}) = Failed payments guide worked`,
		`[{"role":"assistant","content":"One moment","tool_calls":[{"id":"t","type":"function","function":{"name":"find","arguments":"{\"id\":5}"}}]},{"role":"tool","tool_call_id":"t","content":"{\"n\":1}"}]`:                                              "agent: One moment\n" + found,
		`[{"role":"assistant","content":null,"function_call":{"name":"find","arguments":"{\"id\":5}"}},{"role":"function","name":"find","content":"{\"n\":1}"}]`:                                                                                              found,
		`[{"type":"function_call","call_id":"t","name":"find","arguments":"{\"id\":5}","id":"i1"},{"type":"function_call_output","call_id":"t","output":"{\"n\":1}","is_error":false,"id":"i2"}]`:                                                             found,
		`[{"role":"tool_calls","message":"","toolCalls":[{"id":"t","function":{"name":"find","arguments":{"id":5}}}]},{"role":"tool_call_result","toolCallId":"t","name":"find","result":"{\"n\":1}"}]`:                                                       found,
		`[{"role":"agent","message":null,"tool_calls":[{"request_id":"t","tool_name":"find","params_as_json":"{\"id\":5}"}],"tool_results":[{"request_id":"t","tool_name":"find","result_value":"{\"n\":1}","is_error":false}]}]`:                             found,
		`[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"find","input":{"id":5}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"{\"n\":1}"}]}]}]`:                                  found,
		`[{"role":"model","parts":[{"functionCall":{"name":"find","args":{"id":5}}}]},{"role":"function","parts":[{"functionResponse":{"name":"find","response":{"n":1}}}]}]`:                                                                                 found,
		`[{"role":"tool_call_invocation","tool_call_id":"t","name":"find","arguments":"{\"id\":5}"},{"role":"tool_call_result","tool_call_id":"t","content":"{\"n\":1}"}]`:                                                                                    found,
		`[{"role":"Function Call","data":{"id":"t","name":"find","arguments":"{\"id\":5}"}},{"role":"Function Call Result","data":{"id":"t","name":"find","result":{"n":1}}}]`:                                                                                found,
		`[{"role":"tool","tool_name":"find","tool_args":{"id":5},"tool_result":{"n":1}}]`:                                                                                                                                                                     found,
		`[{"role":"tool_call_invocation","tool_call_id":"1","name":"book","arguments":"{}"},{"role":"tool_call_result","tool_call_id":"1","content":"no agent available","successful":false}]`:                                                                `tool: book({}) = no agent available failed`,
		`[{"type":"function_call","call_id":"t","name":"book","arguments":"{}"},{"type":"function_call_output","call_id":"t","output":"nope","is_error":true}]`:                                                                                               `tool: book({}) = nope failed`,
		`[{"role":"tool_call_invocation","tool_call_id":"1","name":"book","arguments":"{}"}]`:                                                                                                                                                                 `tool: book({}) =  no answer`,
		`[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"one","arguments":"{}"}},{"id":"b","function":{"name":"two","arguments":"{}"}}]},{"role":"tool","tool_call_id":"b","content":"2"},{"role":"tool","tool_call_id":"a","content":"1"}]`: "tool: one({}) = 1 worked\ntool: two({}) = 2 worked",
	} {
		assert.Equal(t, want, lines(loose.Transcript(hint(), json.RawMessage(entries))), entries)
	}
}

// Keys, transfers and changes of node are the system's; what nobody can read is
// said to be so, and what came is there to be found.
func TestEntriesOfOtherKinds(t *testing.T) {
	for entries, want := range map[string]string{
		`[{"event_type":"hold","duration":5}]`:                                             "system: hold",
		`[{"type":"voicemail_detected"}]`:                                                  "system: voicemail detected",
		`[{"type":"call_transferred","destination":"sales"}]`:                              "system: call transferred: destination=sales",
		`[{"role":"dtmf","digit":"5"}]`:                                                    "system: pressed 5",
		`[{"type":"dtmf","digits":"12#"}]`:                                                 "system: pressed 12#",
		`[{"role":"user","content":"","digit":"1"}]`:                                       "system: pressed 1",
		`[{"role":"node_transition","former_node_name":"greet","new_node_name":"verify"}]`: "system: node transition: former_node_name=greet, new_node_name=verify",
		`[{"role":"transfer_target","content":"Sales here"}]`:                              "system: transfer target: Sales here",
		`[{"type":"agent_handoff","old_agent_id":"a","new_agent_id":"b"}]`:                 "system: agent handoff: old_agent_id=a, new_agent_id=b",
		`[{"role":"user","phrases":"I want to cancel"}]`:                                   `caller: (an entry that could not be read: {"role":"user","phrases":"I want to cancel"})`,
		`[5]`: "speaker: (an entry that could not be read: 5)",
		`[{"role":"agent","content":"Hi"},{"who":"x","said":{"cancel":"yes"}}]`: "agent: Hi\nspeaker: x: (an entry that could not be read: {\"who\":\"x\",\"said\":{\"cancel\":\"yes\"}})",
		`[null, {}, ""]`: "",
		`[{"text":"I w","speaker":"user","is_partial":true},{"text":"I want","speaker":"user","is_partial":false},{"text":"Yes?","speaker":"agent"},{"text":"to ca","speaker":"user","is_partial":true},{"text":"hung up","speaker":"system"}]`: "caller: I want\nagent: Yes?\ncaller: to ca (unfinished)\nsystem: hung up",
	} {
		assert.Equal(t, want, lines(loose.Transcript(hint(), json.RawMessage(entries))), entries)
	}
}

// Offsets are told apart by the length of the call, which lasts 70 seconds.
func TestUnits(t *testing.T) {
	want := "2 agent: Hi\n65.5 caller: Bye"
	for name, at := range map[string][2]string{
		"seconds": {`2`, `65.5`}, "text": {`"2"`, `"65.5"`}, "milliseconds": {`2000`, `65500`}, "microseconds": {`2000000`, `65500000`}, "nanoseconds": {`2000000000`, `65500000000`},
		"epoch s": {`1795773602`, `1795773665.5`}, "epoch ms": {`1795773602000`, `1795773665500`}, "epoch us": {`1795773602000000`, `1795773665500000`},
		"iso": {`"2026-11-27T10:00:02Z"`, `"2026-11-27T12:01:05.5+0200"`}, "clock": {`"00:02"`, `"01:05.5"`}, "long clock": {`"00:00:02"`, `"00:01:05.500"`},
		"time of day": {`"10:00:02"`, `"10:01:05.5"`}, "mixed": {`2`, `1795773665500`},
	} {
		for _, key := range []string{"timestamp", "start_time", "start", "offset", "time"} {
			entries := fmt.Sprintf(`[{"role":"agent","content":"Hi","%s":%s},{"role":"user","content":"Bye","%s":%s}]`, key, at[0], key, at[1])
			assert.Equal(t, want, lines(loose.Transcript(hint(), json.RawMessage(entries))), "%s: %s", name, entries)
		}
	}
	for entry, want := range map[string]string{
		`{"role":"bot","message":"x","time":1795773661100,"endTime":1795773663200,"secondsFromStart":1.1,"duration":2100}`: "1.1-3.2 agent: x",
		`{"role":"agent","content":"x","start_ms":1500,"end_ms":2500}`:                                                     "1.5-2.5 agent: x",
		`{"role":"agent","content":"x","startTimeMs":1500,"durationMs":1000}`:                                              "1.5-2.5 agent: x",
		`{"role":"agent","content":"x","start":4,"end":3}`:                                                                 "4 agent: x",
		`{"role":"agent","content":"x","timestamp":-3}`:                                                                    "agent: x",
		`{"role":"agent","content":"x","timeRange":{"start":1,"end":2}}`:                                                   "1-2 agent: x",
	} {
		assert.Equal(t, want, lines(loose.Transcript(hint(), json.RawMessage("["+entry+"]"))), entry)
	}
	assert.Equal(t, "0.065 agent: x", lines(loose.Transcript(loose.Hint{Unit: time.Millisecond}, json.RawMessage(`[{"role":"agent","content":"x","timestamp":65}]`))), "as documented, where the length is unknown")
}

// Lines have their times and names in any common form.
func TestLines(t *testing.T) {
	want := "2 agent: Hello: I am here.\n8 caller: My card was charged twice."
	spans := "2-5 agent: Hello: I am here.\n8-11 caller: My card was charged twice."
	none := "agent: Hello: I am here.\ncaller: My card was charged twice."
	for text, want := range map[string]string{
		"[00:02] Agent: Hello: I am here.\n[00:08] User: My card was charged twice.":                                                                                                                    want,
		"[2.00s] agent: Hello: I am here.\n[8.00s] user: My card was charged twice.":                                                                                                                    want,
		"[2026-11-27T10:00:02+00:00] assistant: Hello: I am here.\n[2026-11-27T10:00:08Z] user: My card was charged twice.":                                                                             want,
		"2026-11-27 10:00:02 Agent: Hello: I am here.\n2026-11-27 10:00:08 User: My card was charged twice.":                                                                                            want,
		"00:02 Agent: Hello: I am here.\n00:08 User: My card was charged twice.":                                                                                                                        want,
		"00:02 - Agent: Hello: I am here.\n00:08 - User: My card was charged twice.":                                                                                                                    want,
		"(0:02) Agent: Hello: I am here.\n(0:08) User: My card was charged twice.":                                                                                                                      want,
		"Agent (00:02): Hello: I am here.\nUser (00:08): My card was charged twice.":                                                                                                                    want,
		"Agent [00:02]: Hello: I am here.\nUser [00:08]: My card was charged twice.":                                                                                                                    want,
		"Agent 00:02: Hello: I am here.\nUser 00:08: My card was charged twice.":                                                                                                                        want,
		"Agent: [00:02] Hello: I am here.\nUser: [00:08] My card was charged twice.":                                                                                                                    want,
		"Agent: Hello: I am here. [00:02]\nUser: My card was charged twice. (00:08)":                                                                                                                    want,
		"Agent 00:02\nHello: I am here.\n\nUser 00:08\nMy card was charged twice.":                                                                                                                      want,
		"**Agent** (00:02): Hello: I am here.\n**User** (00:08): My card was charged twice.":                                                                                                            want,
		"[10:00:02 AM] Agent: Hello: I am here.\n[10:00:08 AM] User: My card was charged twice.":                                                                                                        want,
		"[00:00:02] [Agent] Hello: I am here.\n[00:00:08] [Caller] My card was charged twice.":                                                                                                          want,
		"[00:00:02.000 --> 00:00:05.000] Agent: Hello: I am here.\n[00:00:08.000 --> 00:00:11.000] User: My card was charged twice.":                                                                    spans,
		"[00:02 - 00:05] Agent: Hello: I am here.\n[00:08 - 00:11] User: My card was charged twice.":                                                                                                    spans,
		"00:02-00:05 Agent: Hello: I am here.\n00:08–00:11 User: My card was charged twice.":                                                                                                            spans,
		"[2.0 - 5.0] Agent: Hello: I am here.\n[8.0 - 11.0] User: My card was charged twice.":                                                                                                           spans,
		"WEBVTT\n\nNOTE made up\n\n1\n00:00:02.000 --> 00:00:05.000\n<v Agent>Hello: I am here.</v>\n\n00:08.000 --> 00:11.000 align:start\n<v Caller>My card was charged twice.":                       spans,
		"1\n00:00:02,000 --> 00:00:05,000\nAgent: Hello: I am here.\n\n2\n00:00:08,000 --> 00:00:11,000\nUser: My card was\ncharged twice.\n":                                                           spans,
		"1\r\n00:00:02,000 --> 00:00:03,000\r\nAgent: Hello:\r\n\r\n2\r\n00:00:03,000 --> 00:00:05,000\r\nI am here.\r\n\r\n3\r\n00:00:08,000 --> 00:00:11,000\r\nUser: My card was charged twice.\r\n": "2-5 agent: Hello: I am here.\n8-11 caller: My card was charged twice.",
		"**Agent**: Hello: I am here.\n**User**: My card was charged twice.":                                                                                                                            none,
		"**Agent:** Hello: I am here.\n**User:** My card was charged twice.":                                                                                                                            none,
		"- Agent: Hello: I am here.\n- User: My card was charged twice.":                                                                                                                                none,
		"1. Agent: Hello: I am here.\n2. User: My card was charged twice.":                                                                                                                              none,
		"### Agent\nHello: I am here.\n\n### User\nMy card was charged twice.":                                                                                                                          none,
		"AGENT: Hello: I am here.\nCUSTOMER: My card was charged twice.":                                                                                                                                none,
		"Agent (Ada): Hello: I am here.\nCaller 1: My card was charged twice.":                                                                                                                          none,
		"AI> Hello: I am here.\nHuman> My card was charged twice.":                                                                                                                                      none,
		"Agent - Hello: I am here.\nCaller - My card was charged twice.":                                                                                                                                none,
		"agent: hello\nuser: hi\nthere":                                                      "agent: hello\ncaller: hi\nthere",
		"agent: I have this: a card\nNote: it is not lost\nuser: ok":                         "agent: I have this: a card\nNote: it is not lost\ncaller: ok",
		"Call of Friday\nagent: hello\nuser: hi":                                             "system: Call of Friday\nagent: hello\ncaller: hi",
		"Anna: hello\nBen: hi\nAnna: how are you\nBen: fine":                                 "speaker: Anna: hello\nspeaker: Ben: hi\nspeaker: Anna: how are you\nspeaker: Ben: fine",
		"Hello, I'm calling about my recent order. Thank you: bye":                           "speaker: Hello, I'm calling about my recent order. Thank you: bye",
		"[00:01] Supervisor: hello\n[00:02] agent: hi":                                       "1 system: Supervisor: hello\n2 agent: hi",
		"[00:01] hello\n[00:02] hi":                                                          "1 speaker: hello\n2 speaker: hi",
		"user: at 10:30\n10:30 works for me":                                                 "caller: at 10:30\n10:30 works for me",
		"agent: one moment\ntool: {\"error\":\"x\"}":                                         "agent: one moment\ntool: () = {\"error\":\"x\"} failed",
		"00:00:02.000 --> 00:00:05.000 Agent: hello\n00:00:08.000 --> 00:00:11.000 User: hi": "2-5 agent: hello\n8-11 caller: hi",
		"00:02\nAgent: hello\n00:08\nUser: hi":                                               "2 agent: hello\n8 caller: hi",
		"00:02\nhello\n\n00:08\nhi":                                                          "2 speaker: hello\n8 speaker: hi",
		"2.0 Agent: hello\n8.5 User: hi":                                                     "2 agent: hello\n8.5 caller: hi",
		">> Agent: hello\n>> User: hi":                                                       "agent: hello\ncaller: hi",
		"Agent: hello\rUser: hi":                                                             "agent: hello\ncaller: hi",
		`Agent: hello\nUser: hi`:                                                             "agent: hello\ncaller: hi",
		"Agent: hello<br>User: hi":                                                           "agent: hello\ncaller: hi",
		"<p><b>Agent:</b> hello</p><p><b>User:</b> hi &amp; bye</p>":                         "agent: hello\ncaller: hi & bye",
		"Agent: hello User: hi":                                                              "agent: hello\ncaller: hi",
		"Agent: hello user: hi":                                                              "agent: hello user: hi",
		"Dr. Lee: hello\nAgent: hi\nDr. Lee: bye":                                            "caller: Dr. Lee: hello\nagent: hi\ncaller: Dr. Lee: bye",
		"Agent: hello\nUser: hi\nAnna Berg: I am his wife\nAgent: oh\nAnna Berg: yes":        "agent: hello\ncaller: hi\nsystem: Anna Berg: I am his wife\nagent: oh\nsystem: Anna Berg: yes",
		"": "",
	} {
		assert.Equal(t, want, lines(loose.Lines(text, hint())), text)
	}
}

// The best of several forms is read.
func TestForms(t *testing.T) {
	for _, x := range []struct{ object, plain, want string }{
		{`[]`, `"agent: hi"`, "agent: hi"}, {`null`, `"agent: hi"`, "agent: hi"}, {``, `"agent: hi"`, "agent: hi"},
		{`"[{\"role\": \"agent\", \"content\": \"cut"`, `"agent: hi"`, "agent: hi"},
		{`[{"who": {"a": 1}}]`, `"agent: hi"`, "agent: hi"},
		{`[{"text": "draft", "speaker": "agent", "is_partial": true}]`, `"agent: hi"`, "agent: hi"},
		{`[{"text": "draft", "speaker": "agent", "is_partial": true}]`, `null`, "agent: draft (unfinished)"},
		{`"[{\"role\": \"agent\", \"content\": \"cut"`, `null`, `speaker: [{"role": "agent", "content": "cut`},
	} {
		assert.Equal(t, x.want, lines(loose.Transcript(hint(), json.RawMessage(x.object), json.RawMessage(x.plain))), x)
	}
}

// Times are read with an offset in any of its forms.
func TestInstant(t *testing.T) {
	for _, s := range []string{
		"2026-11-27T10:00:00Z", "2026-11-27T10:00:00+0000", "2026-11-27T12:00:00+02:00", "2026-11-27T12:00:00+0200", "2026-11-27 12:00:00 +0200", "2026-11-27T12:00:00+02",
		"Fri, 27 Nov 2026 10:00:00 +0000", "Fri, 27 Nov 2026 10:00:00 GMT", "27 Nov 2026 05:00:00 -0500", "Fri, 27 Nov 2026 10:00:00 +0000 (UTC)", "2026-11-27 10:00:00 UTC",
		"2026-11-27T10:00", "20261127T100000Z", "Fri Nov 27 10:00:00 2026", "2026-11-27T10:00:00.000+0000", "2026-11-27 10:00:00+00",
	} {
		var m loose.Moment
		assert.NoError(t, m.UnmarshalJSON([]byte(`"`+s+`"`)))
		assert.Equal(t, start, m.Time, s)
	}
	for _, s := range []string{"1795773600", "1795773600000", "1795773600000000", "1795773600000000000"} {
		var m loose.Moment
		assert.NoError(t, m.UnmarshalJSON([]byte(s)))
		assert.Equal(t, start, m.Time, s)
	}
}
