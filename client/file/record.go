package file

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/call"
)

type jsonText = json.RawMessage

// The names that exporters have for what identifies a talk, for its transcript as a
// list or a text, and for its beginning.
var (
	talkIDs   = []string{"conversationid", "callid", "sessionid", "callsid", "sid"}
	talkNames = []string{"turns", "transcriptobject", "messages", "transcript", "utterances", "dialogue", "dialog", "conversation", "segments", "entries", "lines", "chathistory", "history", "chat", "items", "transcription"}
	starts    = []string{"startedat", "starttime", "start", "starttimestamp", "callstart", "callstarttime", "begin", "began", "timestamp", "createdat", "date", "datetime", "time"}
)

// isMessage holds of what is said once: a part of a talk, no call.
func isMessage(o object) bool {
	switch o["type"].Str {
	case "message", "function_call", "function_call_output":
		return true
	}
	if !o.any("role", "speaker", "sender", "author") || o.any(talkNames...) && !o.any("content", "text") {
		return false
	}
	return o.any("content", "text", "message", "words", "utterance", "sentence", "toolcalls", "toolcallid", "toolname")
}

// isTalk holds of a list of messages.
func isTalk(v gjson.Result) bool {
	first := v.Get("0")
	return v.IsArray() && first.IsObject() && isMessage(members(first))
}

// isChat holds of messages that stand in a list with no more of a call's marks.
func isChat(o object) bool {
	return isTalk(o["messages"]) || isTalk(o["items"]) || isTalk(o["output"]) || isTalk(o["input"])
}

// chatCall reads messages as language models are given them, or as a program wrote
// them down while it ran, which is known by their times.
func chatCall(r *reader, o object) (*draft, error) {
	d, err := plainCall(r, o)
	if err != nil {
		return nil, err
	}
	d.brief, d.Turns = true, nil
	if len(d.forms) == 0 {
		d.forms = facts{o}.forms("messages", "items", "output", "input")
	}
	if d.StartedAt.IsZero() {
		r.start(d, facts{members(gjson.ParseBytes(d.forms[0]).Get("0"))}, "timestamp", "createdat", "time", "start")
		if d.StartedAt.Year() < 2000 { // seconds since the beginning
			d.StartedAt, d.local = time.Time{}, time.Time{}
		}
	}
	return d, nil
}

func isCekura(o object) bool {
	return o.any("callid", "id") && o.any("transcriptobject", "transcript") && o.any("evaluation", "callendedreason", "dropoffpoint", "customernumber")
}

// isPlain holds of an object that has a talk or at least names one.
func isPlain(o object) bool {
	return o.any("conversationid", "callid") || hasList(o)
}

func hasList(o object) bool {
	for _, name := range talkNames {
		switch v := o[name]; {
		case v.IsArray() && (isTalk(v) || name == "turns" || name == "transcriptobject"):
			return true
		case v.IsArray() && name != "items" && name != "entries" && name != "lines" && members(v.Get("0")).any("from", "participant", "party", "who", "type", "speakerid", "speakername"):
			return true
		case v.Type == gjson.String && (name == "transcript" || name == "conversation" || name == "dialogue") && strings.Contains(v.Str, ":"):
			return true
		}
	}
	return false
}

// plainCall reads a record by the names that most exporters have for the parts of a
// call; the first of each is our own.
func plainCall(r *reader, o object) (*draft, error) {
	f := facts{o}
	d := &draft{}
	d.ID.Key = f.text("conversationid", "callid", "id", "uuid", "sessionid", "callsid", "sid")
	d.CallID = f.text("callid", "callsid", "sid")
	d.AgentID, d.AgentName = f.text("agentid", "assistantid", "agent.id"), f.text("agentname", "agent.agentname", "agent.name", "assistantname")
	if v := f.get("agent"); v.Type == gjson.String {
		d.AgentName = v.Str
	} else if v.Type == gjson.Number && d.AgentID == "" {
		d.AgentID = v.Raw
	}
	d.ProjectID = f.text("projectid", "project")
	outcome := f.text("outcome")
	d.Status, d.Topic = f.text("outcome", "status", "callstatus"), f.text("intent", "topic")
	d.Success = f.truth("success", "successful", "callsuccessful")
	if d.Success == nil {
		d.Success = verdict(outcome)
	}
	d.EndedReason, d.ErrorMessage = f.text("endedreason", "callendedreason", "endreason", "disconnectionreason"), f.text("errormessage")
	d.Customer = f.text("customernumber", "customer", "fromnumber", "from", "caller", "phone", "phonenumber")
	d.Direction, d.Sentiment, d.CallType = f.text("direction"), f.text("sentiment"), f.text("calltype")
	d.Summary, d.DropoffPoint, d.Feedback = f.text("summary", "labels.summary"), f.text("dropoffpoint"), f.text("feedback")
	d.Reviewed, d.Cost, d.TraceID = f.truth("isreviewed", "reviewed"), f.number("cost"), f.text("traceid")
	d.RecordingURL = f.text("recordingurl", "voicerecordingurl")
	d.Metadata, d.DynamicVariables = metadataOf(f), f.object("dynamicvariables", "variables")
	d.CreatedAt, _ = r.moment(f.get("createdat"))
	d.UpdatedAt, _ = r.moment(f.get("updatedat"))
	metricsOf(&d.Log, f)
	if err := r.plainTimes(d, f); err != nil {
		return nil, err
	}
	return d, d.plainTalk(o)
}

// plainTimes reads when a call was and how long it took.
func (r *reader) plainTimes(d *draft, f facts) error {
	if r.start(d, f, starts...); d.StartedAt.IsZero() {
		if s := f.text(starts[:7]...); s != "" && s != "0" {
			return fmt.Errorf("started_at %.40q is not RFC 3339, as in 2026-11-20T14:10:05Z, nor an epoch", s)
		}
	}
	d.EndedAt, _ = r.moment(f.get("endedat", "endtime", "end", "endtimestamp"))
	if n := f.number("durations", "durationseconds", "durationsecs"); n != nil && (*n < 0 || *n > 1e9) {
		return fmt.Errorf("duration_s is %g, which is no length of a call", *n)
	}
	if d.Duration = f.scaled(time.Millisecond, "durationms", "durationmillis"); d.Duration == nil {
		d.Duration = f.length("durations", "durationseconds", "durationsecs", "duration", "callduration", "length")
	}
	return nil
}

// plainTalk finds the transcript of a record. One that has something else instead,
// which nobody knows, is no call in which nobody spoke.
func (d *draft) plainTalk(o object) error {
	turns := o["turns"]
	if own, ok := ownTurns(turns); ok {
		d.Turns = own
		return nil
	}
	if turns.IsArray() {
		d.forms = append(d.forms, commonTools(turns))
	}
	for _, name := range talkNames[1:] {
		if v := o[name]; v.IsArray() || v.IsObject() || v.Type == gjson.String && v.Str != "" {
			d.forms = append(d.forms, jsonText(v.Raw))
		}
	}
	if len(d.forms) > 0 || turns.Exists() {
		return nil
	}
	for name, v := range o {
		if name != "" && v.IsArray() && v.Get("0").IsObject() && !isKnownList[name] {
			return fmt.Errorf("no transcript that is known; is it %.40q? %w", name, unknown(o))
		}
	}
	if len(o) <= 3 && !o.any("metrics", "outcome", "summary", "durations", "startedat") {
		return unknown(o)
	}
	return nil
}

var isKnownList = map[string]bool{"metrics": true, "evaluation": true, "evaluations": true, "labels": true, "tags": true, "events": true, "metadata": true, "toolcalls": true}

// verdict is whether an outcome means that the caller got what he called for:
//
//	true   success booked offer_made order_placed directions_given goal_met
//	false  failure abandoned no_offer no_order no_directions goal_not_met
//	nil    all others: completed (it went to its end, nobody said how well),
//	       info_only, no_caller_speech, none
func verdict(outcome string) *bool {
	switch outcome {
	case "success", "booked", "offer_made", "order_placed", "directions_given", "goal_met":
		return new(true)
	case "failure", "abandoned", "no_offer", "no_order", "no_directions", "goal_not_met":
		return new(false)
	}
	return nil
}

// metadataOf is the record's own, its labels and its corpus. The label "summary"
// is left out: it is the call's Summary.
func metadataOf(f facts) map[string]any {
	m := values(f.get("labels"))
	delete(m, "summary")
	if corpus := f.text("corpus"); corpus != "" {
		if m == nil {
			m = map[string]any{}
		}
		m["corpus"] = corpus
	}
	for k, v := range values(f.get("metadata")) {
		if m == nil {
			m = map[string]any{}
		}
		m[k] = v
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// metricsOf reads a list of evaluations, of which a binary one passes with 1 or 5.
func metricsOf(l *call.Log, f facts) {
	f.get("metrics", "evaluation.metrics", "evaluations").ForEach(func(_, v gjson.Result) bool {
		if !v.IsObject() {
			return true
		}
		one := facts{members(v)}
		m := call.Metric{
			ID: one.text("id"), Name: one.text("name", "metricname"), Type: one.text("type"),
			Score: one.number("score"), Value: one.text("value"), Passed: one.truth("passed"),
		}
		if why := one.get("explanation"); why.IsArray() {
			for _, s := range why.Array() {
				m.Explanation = append(m.Explanation, s.String())
			}
		} else if s := one.text("explanation"); s != "" {
			m.Explanation = []string{s}
		}
		if m.Passed == nil && m.Score != nil && strings.HasPrefix(m.Type, "binary") {
			m.Passed = new(*m.Score > 0)
		}
		l.Metrics = append(l.Metrics, m)
		return true
	})
}
