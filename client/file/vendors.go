package file

import (
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/call"
)

// Vapi: the report at the end of a call, and a call as its API gives it.

func isVapiEvent(o object) bool {
	m := members(o["message"])
	return m["type"].Type == gjson.String && m["call"].IsObject() || o["type"].Str == "end-of-call-report" && (o.any("call", "artifact", "endedreason"))
}

func vapiEvent(r *reader, o object) (*draft, error) {
	m := o
	if o["message"].IsObject() {
		m = members(o["message"])
	}
	if m["type"].Str != "end-of-call-report" {
		return nil, nil // it tells of a call that goes on
	}
	d, err := vapi(r, facts{m, members(m["call"])})
	if d != nil {
		d.Status = "ended"
		d.ID.Key = facts{members(m["call"]), m}.text("id", "callid")
		d.CallType = facts{members(m["call"])}.text("type")
		d.Direction = directionOf(d.CallType)
	}
	return d, err
}

func isVapi(o object) bool {
	return o.any("id") && !o.any("conversationid", "callid") &&
		(o.any("endedreason", "artifact", "assistantid") || strings.HasSuffix(o["type"].Str, "Call")) && o.any("orgid", "artifact", "messages", "transcript", "startedat")
}

func vapiCall(r *reader, o object) (*draft, error) { return vapi(r, facts{o}) }

func vapi(r *reader, f facts) (*draft, error) {
	d := &draft{brief: true, unit: time.Second}
	d.ID.Key, d.CallID = f.text("id"), f.text("phonecallproviderid")
	d.AgentID, d.AgentName = f.text("assistantid"), f.text("artifact.assistantactivations.assistantname", "assistant.name", "messages.assistantname")
	d.ProjectID = f.text("orgid")
	r.start(d, f, "startedat", "createdat")
	d.EndedAt, _ = r.moment(f.get("endedat"))
	d.CreatedAt, _ = r.moment(f.get("createdat"))
	d.UpdatedAt, _ = r.moment(f.get("updatedat"))
	if d.Duration = f.scaled(time.Millisecond, "durationms"); d.Duration == nil {
		d.Duration = f.scaled(time.Second, "durationseconds")
	}
	d.Status, d.CallType, d.EndedReason = f.text("status"), f.text("type"), f.text("endedreason")
	d.Direction = directionOf(d.CallType)
	if strings.Contains(d.EndedReason, "error") {
		d.ErrorMessage = f.text("endedmessage")
	}
	d.Customer = f.text("customer.number", "customer.sipuri", "customer.name")
	d.Summary = f.text("analysis.summary", "summary")
	d.Cost = f.number("cost")
	d.RecordingURL = f.text("artifact.recordingurl", "recordingurl")
	d.Metadata = f.object("metadata", "assistantoverrides.metadata")
	d.DynamicVariables = f.object("assistantoverrides.variablevalues", "artifact.variablevalues")
	if v := f.get("analysis.successevaluation"); v.Exists() {
		d.Success = verdictOf(v)
		m := metric("", "successEvaluation", "", v)
		m.Passed = d.Success
		d.Metrics = append(d.Metrics, m)
	}
	d.Metrics = append(d.Metrics, data(f.get("analysis.structureddata"))...)
	f.get("artifact.structuredoutputs").ForEach(func(id, v gjson.Result) bool {
		d.Metrics = append(d.Metrics, metric(id.Str, v.Get("name").String(), "data", v.Get("result")))
		return true
	})
	d.forms = f.forms("artifact.messages", "messages", "artifact.messagesopenaiformatted", "artifact.transcript", "transcript")
	return d, nil
}

// directionOf reads a type such as inboundPhoneCall.
func directionOf(kind string) string {
	for _, direction := range []string{"inbound", "outbound"} {
		if strings.HasPrefix(kind, direction) {
			return direction
		}
	}
	return ""
}

// verdictOf reads a verdict in words. A score is none: where it becomes good, only
// its rubric knows.
func verdictOf(v gjson.Result) *bool {
	switch strings.ToLower(strings.TrimSpace(v.String())) {
	case "true", "pass", "passed", "success", "successful", "yes":
		return new(true)
	case "false", "fail", "failed", "failure", "unsuccessful", "no":
		return new(false)
	}
	return nil
}

// Retell, and Zudu, whose calls are written alike.

func isRetellEvent(o object) bool {
	return o.any("event", "eventtype") && members(o["call"]).any("callid")
}

func retellEvent(r *reader, o object) (*draft, error) { return retellCall(r, members(o["call"])) }

func isRetell(o object) bool {
	return o.any("callid") && (o.any("callstatus", "transcriptobject", "transcriptwithtoolcalls", "disconnectionreason", "callanalysis") ||
		o["starttimestamp"].Type == gjson.Number)
}

func retellCall(r *reader, o object) (*draft, error) {
	f := facts{o}
	d := &draft{unit: time.Second}
	d.ID.Key, d.CallID = f.text("callid"), f.text("telephonyidentifier.twiliocallsid")
	d.AgentID, d.AgentName = f.text("agentid"), f.text("agentname")
	r.start(d, f, "starttimestamp")
	d.EndedAt, _ = r.moment(f.get("endtimestamp"))
	if d.Duration = f.scaled(time.Millisecond, "durationms"); d.Duration == nil {
		d.Duration = f.length("callduration", "duration")
	}
	d.Status, d.CallType, d.Direction = f.text("callstatus"), f.text("calltype"), strings.ToLower(f.text("direction"))
	d.EndedReason = f.text("disconnectionreason")
	if strings.HasPrefix(d.EndedReason, "error") {
		d.ErrorMessage = d.EndedReason
	}
	if d.Customer = f.text("fromnumber"); d.Direction == "outbound" {
		d.Customer = f.text("tonumber")
	}
	d.Success, d.Summary = f.truth("callanalysis.callsuccessful"), f.text("callanalysis.callsummary")
	d.Sentiment = strings.ToLower(f.text("callanalysis.usersentiment"))
	if cents := f.number("callcost.combinedcost"); cents != nil {
		d.Cost = new(*cents / 100)
	}
	if v := f.get("callanalysis.invoicemail"); v.Exists() {
		d.Metrics = append(d.Metrics, metric("", "in_voicemail", "", v))
	}
	d.Metrics = append(d.Metrics, data(f.get("callanalysis.customanalysisdata"))...)
	f.get("latency").ForEach(func(stage, v gjson.Result) bool {
		one := facts{members(v)}
		l := call.Latency{P50: one.scaled(time.Millisecond, "p50"), P95: one.scaled(time.Millisecond, "p95")}
		if l.P50 != nil || l.P95 != nil {
			if d.Latency == nil {
				d.Latency = map[string]call.Latency{}
			}
			d.Latency[stage.Str] = l
		}
		return true
	})
	d.RecordingURL = f.text("recordingurl", "scrubbedrecordingurl")
	d.Metadata = f.object("metadata")
	d.DynamicVariables = f.object("collecteddynamicvariables", "retellllmdynamicvariables", "dynamicvariables")
	d.Sensitive = f.text("datastoragesetting") == "basic_attributes_only" || f.text("optoutsensitivedatastorage") == "true"
	d.forms = f.forms("transcriptwithtoolcalls", "scrubbedtranscriptwithtoolcalls", "transcriptobject", "transcript")
	return d, nil
}

// ElevenLabs: its webhook, a conversation, and a row of the list of them.

func isElevenEvent(o object) bool {
	switch o["type"].Str {
	case "post_call_transcription", "post_call_audio", "call_initiation_failure":
		return members(o["data"]).any("conversationid")
	}
	return false
}

func elevenEvent(r *reader, o object) (*draft, error) {
	switch in := members(o["data"]); o["type"].Str {
	case "post_call_transcription":
		return elevenCall(r, in)
	case "call_initiation_failure":
		d, err := elevenCall(r, in)
		if d != nil {
			d.EndedReason, d.Status = facts{in}.text("failurereason"), "failed"
		}
		return d, err
	}
	return nil, nil // a recording
}

func isEleven(o object) bool {
	if !o.any("conversationid") || o.any("turns") {
		return false
	}
	if o.any("starttimeunixsecs") || members(o["metadata"]).any("starttimeunixsecs", "calldurationsecs") {
		return true
	}
	first := members(o["transcript"].Get("0"))
	return o["transcript"].IsArray() && first.any("timeincallsecs") || o.any("agentid") && o.any("callsuccessful", "calldurationsecs")
}

func elevenCall(r *reader, o object) (*draft, error) {
	f := facts{o}
	d := &draft{unit: time.Second}
	d.ID.Key, d.CallID = f.text("conversationid"), f.text("metadata.phonecall.callsid")
	d.AgentID, d.AgentName = f.text("agentid"), f.text("agentname")
	r.start(d, f, "metadata.starttimeunixsecs", "starttimeunixsecs")
	d.Status = f.text("status")
	length := f.scaled(time.Second, "metadata.calldurationsecs", "calldurationsecs")
	if length != nil && (*length > 0 || d.Status == "done" || d.Status == "failed") {
		d.Duration = length
	}
	switch f.text("analysis.callsuccessful", "callsuccessful") {
	case "success":
		d.Success = new(true)
	case "failure":
		d.Success = new(false)
	}
	d.Summary = f.text("analysis.transcriptsummary", "transcriptsummary")
	d.EndedReason = f.text("metadata.terminationreason", "terminationreason")
	d.Direction = f.text("metadata.phonecall.direction")
	d.CallType = f.text("conversationinitiationsource", "metadata.conversationinitiationsource", "metadata.phonecall.type")
	d.Customer = f.text("metadata.phonecall.externalnumber", "userid")
	d.Feedback, d.ErrorMessage = f.text("metadata.feedback.comment"), f.text("metadata.error.reason")
	d.Sentiment, d.Cost = f.text("sentimentanalysis.overalllabel"), f.number("metadata.costfiat")
	if n := f.number("callsuccessscore", "analysis.callsuccessscore"); n != nil {
		d.Metrics = append(d.Metrics, call.Metric{Name: "call_success_score", Score: n})
	}
	for _, path := range []string{"analysis.evaluationcriteriaresults", "evaluationcriteriaresults"} {
		f.get(path).ForEach(func(id, v gjson.Result) bool {
			m := metric(id.Str, id.Str, "criterion", v.Get("result"))
			if m.Passed = verdictOf(v.Get("result")); v.Get("rationale").Str != "" {
				m.Explanation = []string{v.Get("rationale").Str}
			}
			d.Metrics = append(d.Metrics, m)
			return true
		})
	}
	f.get("analysis.datacollectionresults").ForEach(func(id, v gjson.Result) bool {
		m := metric(id.Str, id.Str, "data", v.Get("value"))
		if v.Get("rationale").Str != "" {
			m.Explanation = []string{v.Get("rationale").Str}
		}
		d.Metrics = append(d.Metrics, m)
		return true
	})
	d.DynamicVariables = f.object("conversationinitiationclientdata.dynamicvariables")
	d.Metadata = map[string]any{}
	for name, path := range map[string]string{"title": "callsummarytitle", "language": "mainlanguage", "credits": "metadata.cost", "environment": "environment"} {
		if s := f.text(path, "metadata."+path, "analysis."+path); s != "" {
			d.Metadata[name] = s
		}
	}
	d.forms = f.forms("transcript")
	return d, nil
}

// LiveKit: the report of a session.

func isLiveKit(o object) bool {
	return members(o["chathistory"]).any("items") || o.any("roomid", "jobid") && o.any("chathistory", "events")
}

func liveKitCall(r *reader, o object) (*draft, error) {
	f := facts{o}
	d := &draft{brief: true, unit: time.Second}
	d.ID.Key, d.CallID = f.text("jobid", "roomid"), f.text("roomid")
	r.start(d, f, "startedat", "audiorecordingstartedat", "chathistory.items.createdat", "events.createdat")
	d.EndedAt, _ = r.moment(f.get("timestamp"))
	d.Duration = f.scaled(time.Second, "duration")
	if room := f.text("room"); room != "" {
		d.Metadata = map[string]any{"room": room}
	}
	o["events"].ForEach(func(_, v gjson.Result) bool {
		if v.Get("type").Str == "close" {
			d.EndedReason = v.Get("reason").String()
		}
		return true
	})
	d.forms = f.forms("chathistory.items", "chathistory", "events")
	if items := members(o["chathistory"])["items"]; items.IsArray() {
		d.forms = append([]jsonText{jsonText(items.Raw)}, d.forms...)
	}
	return d, nil
}
