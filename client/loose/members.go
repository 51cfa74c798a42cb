package loose

import (
	"cmp"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

func (f *fields) takeRole(key string, v gjson.Result) bool {
	rank := roleRank(key)
	switch {
	case key == "type" || key == "kind" || key == "event" || key == "eventtype" || key == "itemtype":
		if v.Type == gjson.String && f.kindName == "" {
			f.kindName = v.Str
		}
		return true
	case rank == 0:
		return f.takeSide(key, v)
	case v.IsObject():
		for _, name := range []string{"role", "type", "name", "id"} {
			if s := v.Get(name); s.Type == gjson.String && s.Str != "" {
				f.nameSpeaker(s.Str, rank)
				break
			}
		}
	case v.Type == gjson.String || v.Type == gjson.Number:
		f.nameSpeaker(v.String(), rank)
	}
	return true
}

// takeSide reads a flag that says whose words these are.
func (f *fields) takeSide(key string, v gjson.Result) bool {
	var side string
	switch key {
	case "isuser", "iscustomer", "iscaller", "ishuman", "fromuser", "fromcustomer":
		side = "user"
	case "isagent", "isbot", "isassistant", "isai", "fromagent", "frombot":
		side = "agent"
	}
	if side == "" || v.Type != gjson.True && v.Type != gjson.False {
		return false
	}
	if v.Type == gjson.False {
		side = map[string]string{"user": "agent", "agent": "user"}[side]
	}
	f.nameSpeaker(side, 3)
	return true
}

// roleRank is how surely a member of this name says who speaks, 0 for not at all.
func roleRank(key string) int {
	switch key {
	case "role":
		return 9
	case "speaker", "speakerrole", "speakertype", "participantrole":
		return 8
	case "participant":
		return 7
	case "author", "sender":
		return 6
	case "from", "party", "who":
		return 5
	case "participantpurpose", "purpose":
		return 3
	case "speakername", "speakerlabel":
		return 4
	case "speakerid", "participantid", "identity":
		return 2
	case "source", "origin":
		return 1
	}
	return 0
}

// nameSpeaker takes the name that says most: one of a known role, else the
// member of the highest rank.
func (f *fields) nameSpeaker(name string, rank int) {
	_, known := partOf(name)
	if known {
		rank += 10
	} else if rank == 1 {
		return // the source of a text may be anything
	}
	if name != "" && rank > f.speakerRank {
		f.speaker, f.speakerRank = name, rank
	}
}

func (f *fields) takeTool(key string, v gjson.Result) bool {
	switch key {
	case "toolcalls", "functioncalls", "functioncall", "toolcall", "tooluse", "tooluses", "toolinvocations":
		if v.IsArray() || v.IsObject() {
			f.calls = v
		}
	case "toolresults", "functionresults", "functioncalloutputs":
		if v.IsArray() || v.IsObject() {
			f.results = v
		}
	case "toolresult", "toolresponse", "functionresponse":
		if firstOf(v, "request_id", "tool_call_id", "toolCallId", "tool_name", "name", "response", "result_value").Exists() {
			f.results = v
		} else {
			f.output = v
		}
	case "toolcallid", "callid", "requestid", "tooluseid", "invocationid":
		f.id = v.String()
	case "name", "toolname", "functionname", "tool":
		if v.Type == gjson.String {
			f.name = v.Str
		}
	case "function":
		if v.IsObject() {
			f.name, f.input = v.Get("name").String(), firstOf(v, "arguments", "args", "parameters")
		} else {
			f.name = v.String()
		}
	case "arguments", "args", "params", "parameters", "paramsasjson", "toolargs", "toolinput", "toolarguments", "argumentsjson", "input":
		f.input = v
	case "result", "output", "response", "resultvalue", "tooloutput", "returnvalue":
		f.output = v
	case "data":
		if !v.IsObject() {
			return false
		}
		f.id, f.name = cmp.Or(v.Get("id").String(), f.id), cmp.Or(v.Get("name").String(), f.name)
		for to, names := range map[*gjson.Result][]string{&f.input: {"arguments", "args", "parameters"}, &f.output: {"result", "output", "response"}} {
			if x := firstOf(v, names...); x.Exists() {
				*to = x
			}
		}
		if !f.input.Exists() && !f.output.Exists() && f.name == "" {
			return false
		}
	case "rawerrormessage", "errormessage", "errordetail":
		if !isBlank(v) {
			f.trouble = v.String()
		}
		return f.trouble != ""
	case "iserror", "haserror":
		f.judge(v, true)
	case "successful", "success", "succeeded":
		f.judge(v, false)
	default:
		return false
	}
	return true
}

// judge notes a flag that says whether a tool failed: is, where it is true.
func (f *fields) judge(v gjson.Result, is bool) {
	var t Truth
	if _ = t.UnmarshalJSON([]byte(v.Raw)); t.V != nil {
		failed := *t.V == is
		f.failed = &failed
	}
}

func firstOf(v gjson.Result, names ...string) (x gjson.Result) {
	for _, name := range names {
		if x = v.Get(name); x.Exists() {
			return x
		}
	}
	return x
}

// takeWords reads words with times, which may be all that is said.
func (f *fields) takeWords(v gjson.Result) {
	v.ForEach(func(_, w gjson.Result) bool {
		if w.Type == gjson.String {
			f.spokenWords = append(f.spokenWords, w.Str)
			return true
		}
		if s := firstOf(w, "word", "punctuated_word", "text"); s.Type == gjson.String {
			f.spokenWords = append(f.spokenWords, s.Str)
		}
		var one fields
		w.ForEach(func(key, value gjson.Result) bool {
			one.takeTime(plainKey(key.Str), value)
			return true
		})
		one.start.spoken, one.end.spoken = true, true
		if f.spokenFrom.form == never {
			f.spokenFrom = one.start
		}
		if one.end.form != never {
			f.spokenTo = one.end
		}
		return true
	})
}

// takeTime reads a member that is a time, as its name says.
func (f *fields) takeTime(key string, v gjson.Result) bool {
	name, unit := timeName(key)
	rank := 0
	switch name {
	case "start", "starttime", "startat", "startedat", "starttimestamp", "startoffset", "begin", "begintime", "secondsfromstart", "timeincall",
		"startedspeakingat", "audiostart", "offsetfromstart", "sessiontime", "elapsed", "relativetime", "timefromstart", "callstartoffset", "starttimeincall":
		rank = 3
	case "timestamp", "time", "offset", "ts", "at", "timeoffset", "position", "timecode", "startunix", "timeunix":
		rank = 2
	case "createdat", "datetime", "date", "sentat", "receivedat", "createtime", "created":
		rank = 1
	case "end", "endtime", "endat", "endedat", "endtimestamp", "endoffset", "stop", "stoptime", "stoppedspeakingat", "audioend", "finish", "endtimeincall", "stoppedat":
		if m := momentOf(v, unit); m.form != never && f.end.form == never {
			f.end = m
		}
		return true
	case "duration", "length":
		f.length = momentOf(v, unit)
		return true
	case "timestamps", "timerange", "interval", "span":
		return f.takeRange(v)
	default:
		return false
	}
	m := momentOf(v, unit)
	switch {
	case m.form == never:
	case rank > f.rank:
		f.other, f.otherRank, f.start, f.rank = f.start, f.rank, m, rank
	case rank > f.otherRank:
		f.other, f.otherRank = m, rank
	}
	return true
}

// takeRange reads a time of two: a list, or an object of its own.
func (f *fields) takeRange(v gjson.Result) bool {
	if v.IsObject() {
		v.ForEach(func(key, value gjson.Result) bool {
			f.takeTime(plainKey(key.Str), value)
			return true
		})
	} else if list := v.Array(); len(list) == 2 {
		f.start, f.rank, f.end = momentOf(list[0], 0), 3, momentOf(list[1], 0)
	}
	return true
}

// timeName takes the unit off the name of a time.
func timeName(key string) (string, time.Duration) {
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{
		{"milliseconds", time.Millisecond}, {"millis", time.Millisecond}, {"msecs", time.Millisecond}, {"msec", time.Millisecond},
		{"microseconds", time.Microsecond}, {"micros", time.Microsecond}, {"usec", time.Microsecond},
		{"nanoseconds", time.Nanosecond}, {"nanos", time.Nanosecond}, {"nsec", time.Nanosecond},
		{"seconds", time.Second}, {"secs", time.Second}, {"sec", time.Second},
		{"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond}, {"s", time.Second},
	} {
		if name, ok := strings.CutSuffix(key, u.suffix); ok && name != "" && key != "timestamps" {
			if key == "secondsfromstart" {
				break
			}
			return name, u.unit
		}
	}
	if key == "secondsfromstart" {
		return key, time.Second
	}
	return key, 0
}

// plainKey is the name of a member without case and separators.
func plainKey(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 'a' || c > 'z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.ToLower(separators.Replace(s))
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")
