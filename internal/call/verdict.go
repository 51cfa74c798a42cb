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
	return t.judged()
}

// Judge sets how the call of a tool ended, as its source says, nil where it does
// not, and as its result tells.
func (t *Tool) Judge(failed *bool) {
	t.Succeeded = failed != nil && !*failed
	t.Failed = failed != nil && *failed || t.judged() == ToolFailed
}

func (t *Tool) judged() ToolOutcome {
	return judgment{depth: maxNested, fine: t.Succeeded}.value(decoded(strings.TrimSpace(t.Result)))
}

// JudgeResult says what a tool's result tells of the tool itself: JSON by its
// members and their values, text by how it begins. A table that is not free is
// an answer, no failure.
func JudgeResult(result string) ToolOutcome {
	return (&Tool{Result: result}).Outcome()
}

// maxNested bounds how deep results within results are looked into.
const maxNested = 4

// A judgment is of one result, or of what is wrapped in it.
type judgment struct {
	depth int  // of results within it that are looked into
	fine  bool // a status around it said that all is well, which words do not deny
}

// within judges what is wrapped in a result of which a status said that all is well.
func (j judgment) within(fine bool) judgment {
	return judgment{j.depth - 1, j.fine || fine}
}

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

func (j judgment) value(v any) ToolOutcome {
	switch v := v.(type) {
	case string:
		s := strings.TrimSpace(v)
		if d := decoded(s); j.depth > 0 && d != any(s) {
			return j.within(false).value(d)
		}
		if j.fine {
			return ToolWorked
		}
		return judgeText(s)
	case map[string]any:
		return j.object(v)
	case []any:
		return j.list(v)
	}
	return ToolWorked
}

// list fails where all of its results do; where some do, it is doubtful.
func (j judgment) list(list []any) ToolOutcome {
	failed, doubtful := 0, 0
	for _, v := range list {
		if j.depth == 0 {
			break
		}
		switch j.within(false).value(v) {
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

// object reads the members that say how it went, then what is wrapped: its words
// where no status outside says that all is well, its flags where none says so by
// a flag of its own.
func (j judgment) object(m map[string]any) ToolOutcome {
	praised := false
	for name, v := range m {
		key := plainKey(name)
		if isFailing(key, v, m, j.depth) {
			return ToolFailed
		}
		praised = praised || isSuccess[key] && isTrue(v)
		j.fine = j.fine || isGoodStatus(key, v)
	}
	if praised {
		return ToolWorked
	}
	outcome := ToolWorked
	for name, v := range m {
		switch plainKey(name) {
		case "result", "results", "response", "output", "body", "data", "content", "text", "payload", "value":
			if j.depth == 0 {
				continue
			}
			switch j.within(false).value(v) {
			case ToolFailed:
				return ToolFailed
			case ToolDoubtful:
				outcome = ToolDoubtful
			}
		case "message", "msg", "status", "state", "outcome", "detail", "details", "reason", "description", "info", "title", "note", "confirmation":
			s, _ := v.(string)
			switch {
			case j.fine:
			case len(m) == 1 && isFailure(strings.TrimSpace(s)): // as gateways write their errors
				return ToolFailed
			case isDoubtful(s):
				outcome = ToolDoubtful
			}
		}
	}
	return outcome
}

var isSuccess = map[string]bool{"success": true, "ok": true, "successful": true, "succeeded": true, "issuccess": true, "issuccessful": true, "wassuccessful": true}

func isTrue(v any) bool {
	truth, said := truthOf(v)
	return said && truth
}

// isFailing reports a member that says of its object that the tool failed.
func isFailing(key string, v any, m map[string]any, depth int) bool {
	switch key {
	case "error", "errors", "err", "exception", "exceptions", "fault", "errormessage", "errormsg", "errorcode", "errordescription",
		"errordetail", "errordetails", "errortype", "errortext", "errorreason", "exceptionmessage", "faultstring", "faultcode", "traceback", "stacktrace",
		"iserror", "haserror", "haserrors", "errored", "fail", "failed", "isfailed", "failure", "failures", "isfailure":
		return isTrouble(v, depth)
	case "timeout", "timedout":
		return isTrue(v) && !isNumber(v)
	case "statuscode", "status", "state", "outcome", "httpstatus", "httpstatuscode", "httpcode", "responsecode", "responsestatus", "type", "level":
		return isBadStatus(key, v)
	case "code":
		return isBadCode(v, m)
	case "exitcode", "returncode":
		n, ok := numberOf(v)
		return ok && n != 0
	}
	truth, said := truthOf(v)
	return isSuccess[key] && said && !truth && !(key == "succeeded" && isNumber(v))
}

// isGoodStatus reports a status that says that all is well, as of HTTP or in a
// word, and a flag that denies an error.
func isGoodStatus(key string, v any) bool {
	switch key {
	case "statuscode", "status", "code", "httpstatus", "httpstatuscode", "httpcode", "responsecode", "responsestatus", "outcome":
		if n, ok := numberOf(v); ok {
			return n >= 200 && n < 300
		}
		s, _ := v.(string)
		return goodStatus.MatchString(s)
	case "iserror", "haserror", "haserrors", "isfailure":
		truth, said := truthOf(v)
		return said && !truth
	}
	return false
}

var goodStatus = lazyregexp.New(`(?i)^\s*(?:2\d\d )?(?:ok|okay|success|successful|succeeded)\s*$`)

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
