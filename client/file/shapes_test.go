package file_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/file"
	"call-logs-mcp/internal/call"
)

// only is the one call of a file of this content.
func only(t *testing.T, name, content string) *call.Log {
	t.Helper()
	src, err := file.Open("own", write(t, name, content))
	require.NoError(t, err, content)
	p, err := src.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	require.Empty(t, p.Notes)
	require.Len(t, p.Logs, 1, content)
	return p.Logs[0]
}

// said is who said what, a turn a line.
func said(l *call.Log) string {
	var b strings.Builder
	for _, turn := range l.Turns {
		b.WriteString(string(turn.Role) + ": " + turn.Text)
		if turn.Tool != nil {
			b.WriteString(turn.Tool.Name + " " + turn.Tool.Args + " → " + turn.Tool.Result)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const vapiRecord = `{"id":"5d0c1f5e","type":"inboundPhoneCall","status":"ended","assistantId":"91f2","orgId":"0b9f","createdAt":"2026-11-03T09:14:58.120Z","updatedAt":"2026-11-03T09:17:40.002Z",
"startedAt":"2026-11-03T09:15:01.400Z","endedAt":"2026-11-03T09:17:22.900Z","endedReason":"customer-ended-call","customer":{"number":"+13125550147"},"cost":0.1873,"monitor":{"listenUrl":"wss://x"},
"metadata":{"shop":"north","apiKey":"k-1"},"analysis":{"summary":"She moved her fitting.","successEvaluation":"true","structuredData":{"day":"Friday"}},
"artifact":{"messages":[{"role":"system","message":"You book fittings.","time":1793697301400,"secondsFromStart":0},{"role":"bot","message":"Fittings desk, hello.","time":1793697302500,"endTime":1793697304100,"secondsFromStart":1.1,"duration":1600},
{"role":"user","message":"Friday please","time":1793697310000,"endTime":1793697311000,"secondsFromStart":8.6},
{"role":"tool_calls","message":"","toolCalls":[{"id":"call_a1","type":"function","function":{"name":"find_slot","arguments":"{\"day\":\"Friday\"}"}}],"time":1793697320000,"secondsFromStart":18.6},
{"role":"tool_call_result","toolCallId":"call_a1","name":"find_slot","result":"{\"slots\":[\"10:30\"]}","time":1793697321200,"secondsFromStart":19.8}]}}`

func TestVapi(t *testing.T) {
	want := "agent: Fittings desk, hello.\ncaller: Friday please\ntool: find_slot {\"day\":\"Friday\"} → {\"slots\":[\"10:30\"]}\n"
	var whole map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(vapiRecord), &whole))
	report := `{"message":{"type":"end-of-call-report","endedReason":"customer-ended-call","startedAt":"2026-11-03T09:15:01.400Z","endedAt":"2026-11-03T09:17:22.900Z","cost":0.1873,"customer":{"number":"+13125550147"},"artifact":` +
		string(whole["artifact"]) + `,"analysis":` + string(whole["analysis"]) + `,"call":{"id":"5d0c1f5e","orgId":"0b9f","type":"inboundPhoneCall","status":"queued","assistantId":"91f2","metadata":{"shop":"north"}}}}`
	for name, content := range map[string]string{
		"one": vapiRecord, "saved list": "[" + vapiRecord + "]", "a line": strings.ReplaceAll(vapiRecord, "\n", ""), "report": report,
		"report in a catcher": `[{"headers":{"authorization":"Bearer x"},"params":{},"query":{},"body":` + report + `}]`,
		"and its events":      `{"message":{"type":"status-update","status":"in-progress","call":{"id":"5d0c1f5e"}}}` + "\n" + strings.ReplaceAll(report, "\n", ""),
	} {
		l := only(t, "calls.json", content)
		assert.Equal(t, "own/5d0c1f5e", l.ID.String(), name)
		assert.Equal(t, want, said(l), name)
		assert.Equal(t, new(true), l.Success, name)
		assert.Equal(t, "ended", l.Status, name)
		assert.Equal(t, "inbound", l.Direction, name)
		assert.Equal(t, "+13125550147", l.Customer, name)
		assert.Equal(t, "91f2", l.AgentID, name)
		assert.Equal(t, new(141500*time.Millisecond), l.Duration, name)
		assert.Equal(t, time.Date(2026, 11, 3, 9, 15, 1, 4e8, time.UTC), l.StartedAt, name)
		assert.Equal(t, map[string]any{"shop": "north"}, l.Metadata, "%s: no key of anybody", name)
		assert.Equal(t, new(1100*time.Millisecond), l.Turns[0].Start, name)
		assert.Equal(t, new(2700*time.Millisecond), l.Turns[0].End, name)
		require.Len(t, l.Metrics, 2, name)
		assert.Equal(t, "Friday", l.Metrics[1].Value, name)
	}
}

func TestRetell(t *testing.T) {
	record := `{"call_id":"call_9","agent_id":"a7","agent_name":"Desk","call_status":"ended","call_type":"phone_call","direction":"outbound","from_number":"+1300","to_number":"+15035550126","start_timestamp":1793697301400,"end_timestamp":1793697442900,
"duration_ms":141500,"disconnection_reason":"user_hangup","access_token":"secret-token","latency":{"e2e":{"p50":900,"p95":2100,"num":4}},"call_cost":{"combined_cost":21.4},"metadata":{"access_token":"x","shop":"n"},
"transcript_with_tool_calls":[{"role":"agent","content":"Hi","words":[{"word":"Hi","start":0.5,"end":0.9}]},{"role":"user","content":"cancel it","words":[{"word":"cancel","start":2.0,"end":2.4},{"word":"it","start":2.4,"end":2.9}]},
{"role":"tool_call_invocation","tool_call_id":"t1","name":"cancel_order","arguments":"{}"},{"role":"tool_call_result","tool_call_id":"t1","content":"done"}],"call_analysis":{"call_successful":false,"call_summary":"Not verified.","user_sentiment":"Negative","in_voicemail":false}}`
	for name, content := range map[string]string{
		"record": record, "webhook": `{"event":"call_analyzed","call":` + record + `}`,
		"ended, then analyzed": `{"event":"call_ended","call":{"call_id":"call_9","call_status":"ended","start_timestamp":1793697301400}}` + "\n" + `{"event":"call_analyzed","call":` + strings.ReplaceAll(record, "\n", "") + `}`,
		"v3 list":              `{"items":[` + record + `],"has_more":false}`, "text in a body": `{"body":` + string(must(json.Marshal(record))) + `}`,
	} {
		l := only(t, "calls.json", content)
		assert.Equal(t, "agent: Hi\ncaller: cancel it\ntool: cancel_order {} → done\n", said(l), name)
		assert.Equal(t, new(false), l.Success, name)
		assert.Equal(t, "+15035550126", l.Customer, name)
		assert.Equal(t, "negative", l.Sentiment, name)
		assert.InDelta(t, 0.214, *l.Cost, 1e-9, name)
		assert.Equal(t, new(900*time.Millisecond), l.Latency["e2e"].P50, name)
		assert.Equal(t, new(2*time.Second), l.Turns[1].Start, name)
		assert.Equal(t, map[string]any{"shop": "n"}, l.Metadata, name)
		assert.Equal(t, "user_hangup", l.EndedReason, name)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestElevenLabs(t *testing.T) {
	record := `{"agent_id":"agent_3","agent_name":"Vet","conversation_id":"conv_8","status":"done","user_id":"+15035550126","transcript":[{"role":"agent","message":"Lakeside Vet","tool_calls":[],"tool_results":[],"time_in_call_secs":0},
{"role":"user","message":"Bruno has eaten a sock.","tool_calls":null,"tool_results":null,"time_in_call_secs":4},{"role":"agent","message":null,"tool_calls":[{"type":"webhook","request_id":"req_9","tool_name":"find_slot","params_as_json":"{\"urgent\":true}","tool_has_been_called":true}],"tool_results":[],"time_in_call_secs":8},
{"role":"agent","message":null,"tool_calls":[],"tool_results":[{"request_id":"req_9","tool_name":"find_slot","result_value":"{\"slot\":\"11:15\"}","is_error":false,"tool_has_been_called":true}],"time_in_call_secs":9}],
"metadata":{"start_time_unix_secs":1793697301,"call_duration_secs":94,"cost":812,"cost_fiat":0.16,"termination_reason":"Call ended by remote party","phone_call":{"type":"twilio","direction":"inbound","external_number":"+15035550126","call_sid":"CA00"}},
"analysis":{"call_successful":"success","transcript_summary":"Bruno is seen.","evaluation_criteria_results":{"booked":{"criteria_id":"booked","result":"success","rationale":"A slot was given."}}}}`
	camel := strings.NewReplacer("conversation_id", "conversationId", "time_in_call_secs", "timeInCallSecs", "tool_calls", "toolCalls", "tool_results", "toolResults", "start_time_unix_secs", "startTimeUnixSecs",
		"call_duration_secs", "callDurationSecs", "agent_id", "agentId", "params_as_json", "paramsAsJson", "request_id", "requestId", "tool_name", "toolName", "result_value", "resultValue", "call_successful", "callSuccessful").Replace(record)
	for name, content := range map[string]string{
		"record": record, "webhook": `{"type":"post_call_transcription","event_timestamp":1793697500,"data":` + record + `}`, "of the SDK": camel,
		"with its audio": `{"type":"post_call_audio","data":{"conversation_id":"conv_8","full_audio":"AAAA"}}` + "\n" + strings.ReplaceAll(record, "\n", ""),
	} {
		l := only(t, "calls.json", content)
		assert.Equal(t, "own/conv_8", l.ID.String())
		assert.Equal(t, "agent: Lakeside Vet\ncaller: Bruno has eaten a sock.\ntool: find_slot {\"urgent\":true} → {\"slot\":\"11:15\"}\n", said(l), name)
		assert.Equal(t, new(true), l.Success, name)
		assert.Equal(t, new(94*time.Second), l.Duration, name)
		assert.Equal(t, "+15035550126", l.Customer, name)
		assert.Equal(t, new(4*time.Second), l.Turns[1].Start, name)
	}
	l := only(t, "calls.json", `{"type":"call_initiation_failure","data":{"conversation_id":"c1","failure_reason":"busy"}}`)
	assert.Equal(t, "busy", l.EndedReason)
}

func TestLiveKit(t *testing.T) {
	l := only(t, "report.json", `{"job_id":"AJ_1","room_id":"RM_1","room":"desk","audio_recording_started_at":1793697301.5,"timestamp":1793697361.5,"events":[{"type":"close","reason":"participant_disconnected","created_at":1793697361}],
"chat_history":{"items":[{"id":"i0","type":"message","role":"system","content":["Be kind."],"created_at":1793697301.5},{"id":"i1","type":"message","role":"assistant","content":["Hello","there"],"created_at":1793697302.5},
{"id":"i2","type":"message","role":"user","content":["I want to cancel"],"created_at":1793697305.5},{"id":"i3","type":"function_call","call_id":"f1","name":"cancel","arguments":"{}","created_at":1793697306},{"id":"i4","type":"function_call_output","call_id":"f1","output":"gone","is_error":true,"created_at":1793697307}]}}`)
	assert.Equal(t, "agent: Hello\nthere\ncaller: I want to cancel\ntool: cancel {} → gone\n", said(l))
	assert.Equal(t, "AJ_1", l.ID.Key)
	assert.Equal(t, "RM_1", l.CallID)
	assert.Equal(t, new(time.Minute), l.Duration)
	assert.Equal(t, new(4*time.Second), l.Turns[1].Start)
	assert.True(t, l.Turns[2].Tool.Failed)
	assert.Equal(t, "participant_disconnected", l.EndedReason)
	assert.Equal(t, map[string]any{"room": "desk"}, l.Metadata)
}

// Messages as models are given them, or as a program wrote them down while it ran, in
// one list, a list a line, or a message a line.
func TestMessages(t *testing.T) {
	messages := []string{`{"role":"system","content":"be kind"}`, `{"role":"assistant","content":"Hi"}`, `{"role":"user","content":[{"type":"text","text":"I want to cancel"}]}`,
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"cancel","arguments":"{}"}}]}`, `{"role":"tool","tool_call_id":"c1","content":"done"}`}
	list := "[" + strings.Join(messages, ",") + "]"
	for name, content := range map[string]string{
		"a list": list, "in an object": `{"messages":` + list + `}`, "a message a line": strings.Join(messages, "\n"), "spread": "[\n " + strings.Join(messages, ",\n ") + "\n]\n",
		"of Responses": `{"items":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi"}]},{"type":"message","role":"user","content":[{"type":"input_text","text":"I want to cancel"}]},{"type":"function_call","call_id":"c1","name":"cancel","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"done"}]}`,
	} {
		l := only(t, "2026-11-03-desk.jsonl", content)
		assert.Equal(t, "agent: Hi\ncaller: I want to cancel\ntool: cancel {} → done\n", said(l), name)
		assert.Equal(t, "2026-11-03-desk#1", l.ID.Key, "%s: stable as long as the file is", name)
	}
	l := only(t, "pipecat.json", `[{"role":"user","content":"Hello?","timestamp":"2026-11-03T09:15:01.400+00:00"},{"role":"assistant","content":"Hi","timestamp":"2026-11-03T09:15:03.900+00:00"}]`)
	assert.Equal(t, time.Date(2026, 11, 3, 9, 15, 1, 4e8, time.UTC), l.StartedAt)
	assert.Equal(t, new(2500*time.Millisecond), l.Turns[1].Start)

	src, err := file.Open("own", write(t, "utterances.jsonl", strings.Join([]string{
		`{"conversation_id":"a","speaker":"Agent","text":"Hi"}`, `{"conversation_id":"b","speaker":"Customer","text":"cancel"}`, `{"conversation_id":"a","speaker":"Customer","text":"refund"}`,
	}, "\n")))
	require.NoError(t, err)
	assert.Equal(t, "agent: Hi\ncaller: refund\n", said(get(t, src, "a")))
	assert.Equal(t, "caller: cancel\n", said(get(t, src, "b")))
}

func TestOtherNames(t *testing.T) {
	for content, want := range map[string]string{
		`{"conversation_id":"x","turns":[{"role":"caller","content":"I want to cancel"}]}`:                                                            "caller: I want to cancel\n",
		`{"conversation_id":"x","turns":[{"role":"user","text":"I want to cancel"},{"role":"assistant","text":"Sure"}]}`:                              "caller: I want to cancel\nagent: Sure\n",
		`{"conversation_id":"x","turns":[{"role":"Caller","text":"I want to cancel"}]}`:                                                               "caller: I want to cancel\n",
		`{"id":"x","utterances":[{"speaker":"AGENT","utterance":"Hi"},{"speaker":"CUSTOMER","utterance":"cancel"}]}`:                                  "agent: Hi\ncaller: cancel\n",
		`{"call_id":"x","transcript":"Agent: Hi\nUser: cancel"}`:                                                                                      "agent: Hi\ncaller: cancel\n",
		`{"conversation_id":"x","turns":[{"role":"user","text":"go"},{"role":"tool","tool_name":"t","tool_args":{"a":1},"tool_result":{"ok":true}}]}`: "caller: go\ntool: t {\"a\":1} → {\"ok\":true}\n",
		`{"sessionId":"x","startTime":"2026-11-03T09:00:00Z","conversation":[{"from":"bot","message":"Hi"},{"from":"human","message":"cancel"}]}`:     "agent: Hi\ncaller: cancel\n",
	} {
		l := only(t, "calls.jsonl", content)
		assert.Equal(t, want, said(l), content)
		assert.Equal(t, "x", l.ID.Key, content)
	}
	assert.Equal(t, "5123", only(t, "calls.jsonl", `{"conversation_id":5123,"turns":[{"role":"caller","text":"hi"}]}`).ID.Key)
	assert.Equal(t, "9007199254740993", only(t, "calls.jsonl", `{"conversation_id":9007199254740993,"turns":[{"role":"caller","text":"hi"}]}`).ID.Key)
}

// A time is an epoch, has an offset, or is of the zone that is configured.
func TestTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	ten := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for started, want := range map[string]time.Time{
		`1795168800000`: ten, `1795168800`: ten, `"1795168800"`: ten, `"2026-11-20T10:00:00Z"`: ten, `"2026-11-20T15:30:00+0530"`: ten, `"2026-11-20 10:00:00 UTC"`: ten,
		`"2026-11-20 11:00:00"`: ten, `"2026-11-20T11:00:00.000"`: ten, `"Fri, 20 Nov 2026 11:00:00 +0100"`: ten, `"2026-07-01 12:00"`: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC),
		`"2026-11-20"`: time.Date(2026, 11, 19, 23, 0, 0, 0, time.UTC),
	} {
		src, err := file.OpenIn(berlin, "own", write(t, "calls.jsonl", `{"conversation_id":"x","started_at":`+started+`,"duration_s":"65","turns":[{"role":"caller","text":"hi"}]}`))
		require.NoError(t, err, started)
		l := get(t, src, "x")
		assert.Equal(t, want, l.StartedAt, started)
		assert.Equal(t, new(65*time.Second), l.Duration)
		assert.Equal(t, want.Add(65*time.Second), l.EndedAt)
	}
	src, err := file.OpenIn(berlin, "own", write(t, "calls.jsonl", `{"conversation_id":"x","started_at":"2026-11-20 11:00:00","turns":[{"role":"caller","content":"hi","timestamp":"2026-11-20 11:00:05"}]}`))
	require.NoError(t, err)
	assert.Equal(t, new(5*time.Second), get(t, src, "x").Turns[0].Start, "times of turns are of the same zone")
}

func TestEncodings(t *testing.T) {
	content := `{"conversation_id":"x","turns":[{"role":"caller","text":"Ich möchte kündigen 🙂"}]}` + "\r\n"
	wide := func(big bool, mark string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(mark + content)) {
			if big {
				b = append(b, byte(u>>8), byte(u))
			} else {
				b = append(b, byte(u), byte(u>>8))
			}
		}
		return string(b)
	}
	for name, bytes := range map[string]string{
		"UTF-8": content, "with mark": "\ufeff" + content, "UTF-16LE": wide(false, "\ufeff"), "UTF-16BE": wide(true, "\ufeff"), "LE without mark": wide(false, ""), "BE without mark": wide(true, ""),
	} {
		assert.Equal(t, "caller: Ich möchte kündigen 🙂\n", said(only(t, "calls.jsonl", bytes)), name)
	}
}

func TestDocuments(t *testing.T) {
	one := `{"conversation_id":"a","turns":[{"role":"caller","text":"one"}]}`
	two := `{"conversation_id":"b","turns":[{"role":"caller","text":"two"}]}`
	for name, content := range map[string]string{
		"lines": one + "\n" + two, "a list": "[" + one + "," + two + "]", "a list over lines": "[\n" + one + ",\n" + two + "\n]", "spread": strings.ReplaceAll(one, ",", ",\n") + "\n" + strings.ReplaceAll(two, ",", ",\n"),
		"an envelope": `{"count":2,"results":[` + one + `,` + two + `]}`, "an envelope over lines": "{\"count\":2,\n\"calls\":[" + one + ",\n" + two + "]}", "wrapped twice": `{"data":{"items":[` + one + `,` + two + `]}}`,
	} {
		src, err := file.Open("own", write(t, "calls.json", content))
		require.NoError(t, err, name)
		assert.Equal(t, "caller: one\n", said(get(t, src, "a")), name)
		assert.Equal(t, "caller: two\n", said(get(t, src, "b")), name)
	}
	src, err := file.Open("own", write(t, "calls.json", "["+one+`,7,{"foo":1},`+two+"]"))
	require.NoError(t, err)
	p, err := src.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 2)
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], "calls.json:1[1]: a call is a JSON object, found: number; calls.json:1[2]: no shape of a call")

	src, err = file.Open("own", write(t, "calls.jsonl", `{"conversation_id":"cut","turns":[{"role"`+"\n"+one+"\n"+two+"\n"))
	require.NoError(t, err, "a first line that is cut costs itself")
	p, err = src.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 2)
	assert.Len(t, p.Notes, 1)
}

// Files of one name in different folders are different calls.
func TestFilesOfOneName(t *testing.T) {
	paths := []string{write(t, "desk.txt", "Agent: one\nCustomer: two\n"), write(t, "desk.txt", "Agent: three\nCustomer: four\n")}
	src, err := file.Open("own", paths...)
	require.NoError(t, err)
	assert.Equal(t, "agent: one\ncaller: two\n", said(get(t, src, "desk")))
	assert.Equal(t, "agent: three\ncaller: four\n", said(get(t, src, "desk#2")))
}

func TestTranscriptsInText(t *testing.T) {
	l := only(t, "2026-11-03-desk.vtt", "WEBVTT\n\nNOTE made up\n\n1\n00:00:00.500 --> 00:00:02.000\n<v Agent>Hello there</v>\n\n00:00:03.000 --> 00:00:05.000\n<v Customer>I want to cancel</v>\n")
	assert.Equal(t, "agent: Hello there\ncaller: I want to cancel\n", said(l))
	assert.Equal(t, "2026-11-03-desk", l.ID.Key)
	assert.Equal(t, time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), l.StartedAt)
	assert.Equal(t, new(5*time.Second), l.Duration)
	l = only(t, "desk.srt", "1\n00:00:00,500 --> 00:00:02,000\nAgent: Hello there\n\n2\n00:00:03,000 --> 00:00:05,000\nCustomer: I want to cancel\n")
	assert.Equal(t, "agent: Hello there\ncaller: I want to cancel\n", said(l))
	l = only(t, "desk.txt", "Agent: Hello there\nCustomer: I want to cancel\n")
	assert.Equal(t, "agent: Hello there\ncaller: I want to cancel\n", said(l))
	assert.True(t, l.StartedAt.IsZero())
}

// Records that were encoded twice, and lists under any common name, are opened.
func TestWrappedRecords(t *testing.T) {
	const one = `{"conversation_id":"x","turns":[{"role":"caller","text":"please cancel it"}]}`
	text, err := json.Marshal(one)
	require.NoError(t, err)
	for _, content := range []string{string(text), `{"logs":[` + one + `]}`, `{"rows":[` + one + `],"total":1}`, `{"response":` + one + `}`, `{"body":` + string(text) + `}`} {
		assert.Equal(t, "caller: please cancel it\n", said(only(t, "a.json", content)), content)
	}
}

// A record with a vendor's marks and common names for its times keeps them; lengths
// may be spelled; in the hour that comes twice a time is of the first.
func TestTimesOfChangedRecords(t *testing.T) {
	l := only(t, "a.jsonl", `{"call_id":"a","agent_id":1,"started_at":"2026-11-20T10:00:00Z","duration":"1m 5s","transcript_object":[{"role":"agent","content":"hi"}]}`)
	assert.Equal(t, time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), l.StartedAt)
	assert.Equal(t, new(65*time.Second), l.Duration)
	for _, length := range []string{"65 seconds", "PT1M5S", "1 min 5 sec", "1:05", "65", "65000 ms", "0h 1m 5s"} {
		l := only(t, "a.jsonl", `{"call_id":"a","duration":"`+length+`","turns":[{"role":"caller","text":"hi"}]}`)
		assert.Equal(t, new(65*time.Second), l.Duration, length)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	src, err := file.OpenIn(berlin, "own", write(t, "b.jsonl", `{"call_id":"a","started_at":"2026-10-25T02:30:00","turns":[{"role":"caller","text":"hi"}]}`))
	require.NoError(t, err)
	p, err := src.Find(context.Background(), call.Query{})
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), p.Logs[0].StartedAt)
}
