package call

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"call-logs-mcp/internal/lazyregexp"
)

// A ToolOutcome says how the call of a tool ended.
type ToolOutcome string

// The outcomes. A doubtful one answered in words of failure, such as
// "Reservation Failed", which may be an answer as good as any.
const (
	ToolWorked     ToolOutcome = "worked"
	ToolFailed     ToolOutcome = "failed"
	ToolDoubtful   ToolOutcome = "doubtful"
	ToolUnanswered ToolOutcome = "no answer"
)

// Outcome judges the call of a tool by its result, the same for all sources.
func (t *Tool) Outcome() ToolOutcome {
	switch {
	case t.Failed:
		return ToolFailed
	case strings.TrimSpace(t.Result) == "":
		return ToolUnanswered
	}
	return JudgeResult(t.Result)
}

// JudgeResult says what a tool's result tells of the tool itself: JSON by its
// members and their values, text by how it begins. A table that is not free is
// an answer, no failure.
func JudgeResult(result string) ToolOutcome {
	result = strings.TrimSpace(result)
	if result == "" {
		return ToolUnanswered
	}
	return judgeValue(decoded(result), maxNested)
}

// maxNested bounds how deep results within results are looked into.
const maxNested = 4

// decoded is a result as JSON, also where it was printed by Python; text that
// is none stays text.
func decoded(s string) any {
	var v any
	switch {
	case s == "" || !strings.ContainsRune(`{["`, rune(s[0])):
		return s
	case json.Unmarshal([]byte(s), &v) == nil:
		return v
	case s[0] != '"' && strings.Contains(s, "'") && json.Unmarshal([]byte(pythonic.Replace(s)), &v) == nil:
		return v
	}
	return s
}

var pythonic = strings.NewReplacer(`'`, `"`, "True", "true", "False", "false", "None", "null")

func judgeValue(v any, depth int) ToolOutcome {
	switch v := v.(type) {
	case string:
		if d := decoded(strings.TrimSpace(v)); depth > 0 && d != any(strings.TrimSpace(v)) {
			return judgeValue(d, depth-1)
		}
		return judgeText(v)
	case map[string]any:
		return judgeObject(v, depth)
	case []any:
		return judgeList(v, depth)
	}
	return ToolWorked
}

// judgeList fails where all of its results do; where some do, it is doubtful.
func judgeList(list []any, depth int) ToolOutcome {
	failed, doubtful := 0, 0
	for _, v := range list {
		if depth == 0 {
			break
		}
		switch judgeValue(v, depth-1) {
		case ToolFailed:
			failed++
		case ToolDoubtful:
			doubtful++
		}
	}
	switch {
	case failed > 0 && failed == len(list):
		return ToolFailed
	case failed+doubtful > 0:
		return ToolDoubtful
	}
	return ToolWorked
}

// judgeObject reads the members that say how it went. What is wrapped is judged
// where nothing outside has said that all is well.
func judgeObject(m map[string]any, depth int) ToolOutcome {
	outcome, praised := ToolWorked, false
	doubt := func(is bool) {
		if is {
			outcome = ToolDoubtful
		}
	}
	for name, v := range m {
		switch key := plainKey(name); key {
		case "error", "errors", "err", "exception", "exceptions", "fault", "errormessage", "errormsg", "errorcode", "errordescription",
			"errordetail", "errordetails", "errortype", "errortext", "errorreason", "exceptionmessage", "faultstring", "faultcode", "traceback", "stacktrace":
			if isTrouble(v, depth) {
				return ToolFailed
			}
		case "iserror", "haserror", "haserrors", "errored", "failed", "isfailed", "failure", "failures", "isfailure":
			if isTrouble(v, depth) {
				return ToolFailed
			}
		case "timeout", "timedout":
			if truth, said := truthOf(v); said && truth && !isNumber(v) {
				return ToolFailed
			}
		case "success", "ok", "successful", "succeeded", "issuccess", "issuccessful", "wassuccessful":
			truth, said := truthOf(v)
			if said && !truth && !(key == "succeeded" && isNumber(v)) {
				return ToolFailed
			}
			praised = praised || said && truth
		case "statuscode", "status", "state", "outcome", "httpstatus", "httpstatuscode", "httpcode", "responsecode", "responsestatus", "type", "level":
			if isBadStatus(key, v) {
				return ToolFailed
			}
		case "code":
			if isBadCode(v, m) {
				return ToolFailed
			}
		case "exitcode", "returncode":
			if n, ok := numberOf(v); ok && n != 0 {
				return ToolFailed
			}
		}
	}
	for name, v := range m {
		switch plainKey(name) {
		case "result", "results", "response", "output", "body", "data", "content", "text", "payload", "value":
			if praised || depth == 0 {
				continue
			}
			switch judgeValue(v, depth-1) {
			case ToolFailed:
				return ToolFailed
			case ToolDoubtful:
				doubt(true)
			}
		case "message", "msg", "status", "state", "outcome", "detail", "details", "reason", "description", "info", "title", "note", "confirmation":
			s, _ := v.(string)
			doubt(!praised && isDoubtful(s))
		}
	}
	return outcome
}

// plainKey is a member's name without case and separators.
func plainKey(s string) string {
	return strings.ToLower(separators.Replace(s))
}

// isTrouble reports a value that names an error: no zero, no "none", nothing
// empty, and nothing made of these alone.
func isTrouble(v any, depth int) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return !noTrouble.MatchString(strings.TrimSpace(v))
	case []any:
		for _, x := range v {
			if depth == 0 || isTrouble(x, depth-1) {
				return true
			}
		}
	case map[string]any:
		for _, x := range v {
			if depth == 0 || isTrouble(x, depth-1) {
				return true
			}
		}
	}
	return false
}

// noTrouble is what stands in the place of an error where there is none.
var noTrouble = lazyregexp.New(`(?i)^\W*(|0+|none|null|nil|undefined|no|n/?a|not applicable|false|ok|okay|success(ful)?|passed|` +
	`(no|without|zero|0)( \w+)? (errors?|exceptions?|failures?|issues?|problems?|faults?)( (found|occurred|detected|reported))?)\W*$`)

// truthOf reads a flag, and whether it is one.
func truthOf(v any) (truth, said bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case float64:
		return v != 0, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "yes", "1", "ok", "success", "y":
			return true, true
		case "false", "no", "0", "failed", "failure", "error", "n":
			return false, true
		}
	}
	return false, false
}

func isNumber(v any) bool { _, ok := v.(float64); return ok }

// numberOf reads a number, which may be written as text.
func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil
	}
	return 0, false
}

// isBadStatus reports a status that is one of failure, in words or as of HTTP.
func isBadStatus(key string, v any) bool {
	if n, ok := numberOf(v); ok {
		return n >= 400 && n < 600 && key != "type" && key != "level"
	}
	switch v := v.(type) {
	case bool:
		return !v && (key == "status" || key == "outcome")
	case string:
		return badStatus.MatchString(strings.TrimSpace(v)) || key != "type" && key != "level" && judgeText(v) == ToolFailed
	}
	return false
}

var badStatus = lazyregexp.New(`(?i)^(((internal|server|fatal|api|system|tool|client)[ _-]?)?(error|err|exception)|failed|failure|fail|time[ _-]?out|timed[ _-]?out|unsuccessful|not[ _-]success(ful)?|false)$`)

// isBadCode reports a code of HTTP for a failure. A bare number may be any code,
// such as one that a caller has to say: what stands beside it decides.
func isBadCode(v any, m map[string]any) bool {
	n, ok := numberOf(v)
	if !ok {
		s, _ := v.(string)
		return badStatus.MatchString(s) || systemError.MatchString(s)
	}
	if http.StatusText(int(n)) == "" || n < 400 {
		return false
	}
	for name := range m {
		switch plainKey(name) {
		case "message", "msg", "detail", "details", "reason", "description", "status", "title", "name":
			return true
		}
	}
	return len(m) == 1
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")
