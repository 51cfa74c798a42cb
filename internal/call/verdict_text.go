package call

import (
	"net/http"
	"strconv"
	"strings"

	"call-logs-mcp/internal/lazyregexp"
)

// judgeText judges a result in words. It failed where it begins as errors do;
// where words of failure stand further behind, in a short text, it is doubtful.
func judgeText(s string) ToolOutcome {
	s = strings.TrimSpace(s)
	switch {
	case s == "" || harmless.MatchString(s):
		return ToolWorked
	case isFailure(s):
		return ToolFailed
	case isDoubtful(s):
		return ToolDoubtful
	}
	return ToolWorked
}

func isFailure(s string) bool {
	if len(s) > 4000 {
		s = s[:4000]
	}
	return failing.MatchString(s) || systemError.MatchString(s) || errorClass.MatchString(s) ||
		verdictInText.MatchString(s) || faultElement.MatchString(s) || isHTTPFailure(s)
}

const (
	sorry = `^\W*(?:sorry|oops|uh oh|we(?:'re| are) sorry|apologies)?\W*`
	// of is what may stand before the word error, and still be how errors begin.
	of = `(?:(?:an?|the|fatal|unexpected|unknown|internal|unhandled|uncaught|server|network|api|tool|http|runtime|system|validation|` +
		`connection|database|db|authentication|auth|authorization|client|request|parse|parsing|syntax|critical|tool call|function|function call|execution|operation|call|read|write|gateway|socket|upload|lookup|query|service|webhook|fetch|invocation) )*`
	verbs = `(?:read|connect|reach|access|parse|resolve|open|process|complete|load|get|set|execute|call|create|update|delete|retrieve|fetch|find|save|send|perform|verify|book|connect)`
)

// failing is how texts begin that are errors.
var failing = lazyregexp.New(`(?i)` + sorry + of + `(?:` + strings.Join([]string{
	`(?:errors?|err|exception|failure|fail|panic)(?:\s*[:!.,;\])]|\s+-|\s*$|\s*[#(]?\d|\s+(?:in|while|when|on|at|from|during|with|processing|calling|executing|occurred|has|was|is|fetching|getting|loading|connecting|creating|updating|reading|sending|performing|retrieving|looking|searching|booking|invoking|running|parsing|trying|of type|response|detected|thrown|encountered|retrieved|returned|communicating|accessing|saving|making|verifying|validating|finding)\b|\s+(?:code|message|number|id|status|type)(?:\s*[:=#]|\s+["']?\w*\d))`,
	`(?:has |have |was |is )?failed(?:\s*[:!.,;\])]|\s+-|\s*$|\s+(?:to|with|because|due|after|while|when|at|on|in|for|by|during)\b)`,
	`time(?:d[ -]?out|[ -]?out)(?:\s*[!.,;\])]|\s*:\s*\D|\s+-|\s*$|\s+(?:after|exceeded|expired|waiting|while|when|occurred|error|reached|on|during|from|calling|of .{1,20} exceeded|trying|connecting|before|for)\b)`,
	`timed out\b`,
	`(?:unable to|could ?n[o']t|could not|was unable to|were unable to|failed to)\b`,
	`(?:cannot|can't|can not) ` + verbs + `\b`,
	`traceback\b`, `stack ?trace\b`, `unhandled (?:promise )?(?:rejection|exception)`,
	`internal server error`, `bad gateway`, `bad request`, `service (?:is )?(?:temporarily )?unavailable`, `gateway time-?out`, `unauthori[sz]ed`,
	`forbidden`, `(?:access|permission) (?:is |was )?denied`, `not found\W*$`, `not implemented\W*$`, `method not allowed`, `too many requests`,
	`rate limit(?:ed)?\b.{0,20}exceeded`, `quota exceeded`, `connection (?:was )?(?:refused|reset|closed|aborted|lost|timed out)`, `no such (?:file|host|table|function|tool)`,
	`invalid (?:api key|request|argument|arguments|parameter|parameters|json|token|credentials|input|response|signature)`,
	`socket hang up`, `upstream connect error`, `unknown (?:tool|function)\b`, `(?:i|we)(?:'ve| have)? (?:encountered|hit|ran into|got|received) an? (?:\w+ )?(?:error|exception|problem)`,
	`something went wrong`, `there (?:was|has been|is) (?:an? )?(?:\w+ )?(?:error|problem|failure|issue)`,
}, "|") + `)`)

// harmless is what begins as errors do and says that there are none.
var harmless = lazyregexp.New(`(?i)^\W*(?:` + strings.Join([]string{
	`(?:(?:is|has)[ _]?)?(?:errors?|failures?|failed|exceptions?|err)(?:\(s\))?(?:[ _-]?(?:code|count|number|no|message|rate|total))?\s*[:=]\s*["'\[]?(?:0+(?:\.0+)?%?(?:\s*[,;|)(].*|\s+\w+[=:].*|\W*$)|(?:none|null|nil|no|false|n/a|ok|success)\W*(?:$|[,;|(].*))`,
	`(?:errors?|failures?|failed|exceptions?|err)(?:\(s\))?(?:[ _-]?(?:code|count|number|message))?\s*[:=]\s*(?:""|''|\[\]|\{\})\W*`,
	`(?:error|fail(?:ure)?)[- ](?:free|safe|proof)\b.*`,
	`error (?:code|status)s?:? 0\b.*`,
}, "|") + `)$`)

// systemError is the name of an operating system's or library's error.
var systemError = lazyregexp.New(`^\W*(?:ERROR|ERR_[A-Z_]+|E(?:CONN[A-Z]+|TIMEDOUT|NOTFOUND|PIPE|AI_AGAIN|HOSTUNREACH|NETUNREACH|ACCES|NOENT)|[A-Z_]+_ERROR|(?i:error|err)[_-][A-Z0-9_]+)\b`)

// errorClass is the name of a class of errors with its message.
var errorClass = lazyregexp.New(`^\W*[\w.$]*[A-Za-z](?:Error|Exception|Fault)(?:\s*[:(]|\s*$|\s+(?:at|in)\b)|(?m:^Traceback \(most recent call last\))`)

// verdictInText is a flag written as text, such as success=false.
var verdictInText = lazyregexp.New(`(?i)^.{0,80}\b(?:(?:success(?:ful)?|ok)["']?\s*[:=]\s*["']?(?:false|no|0)\b|status["']?\s*[:=]\s*["']?(?:error|failed|failure|timeout)\b|(?:is_?error|has_?errors?|failed|error)["']?\s*[:=]\s*["']?(?:true|yes)\b)`)

var faultElement = lazyregexp.New(`(?i)^\s*<(?:\?xml|\w+:?envelope|[\w:]*(?:error|fault|exception)[ >]).*`)

var (
	statusFirst = lazyregexp.New(`(?i)^\W*([45]\d\d)\b[\s:–-]*(.*)`)
	statusNamed = lazyregexp.New(`(?i)^.{0,60}?\b(?:HTTP(?:/\d(?:\.\d)?)?|status(?:[ _-]?code)?|response(?: code)?|error(?: code)?|returned|code)\s*(?:error|status|code|of)?\s*[:=#]?\s*([45]\d\d)\b`)
	httpBegins  = lazyregexp.New(`(?i)^\W*(?:HTTP|status|error|request|server|api|the (?:server|api)|received|got|returned|upstream|webhook|response)`)
)

// isHTTPFailure reports a status of HTTP from 400 on: "HTTP 500", "404 Not
// Found", "Request failed with status code 502".
func isHTTPFailure(s string) bool {
	if m := statusFirst.FindStringSubmatch(s); m != nil {
		code, _ := strconv.Atoi(m[1])
		name := http.StatusText(code)
		rest := strings.ToLower(strings.TrimSpace(m[2]))
		return name != "" && strings.HasPrefix(rest, strings.ToLower(name)) || strings.HasPrefix(rest, "error") || strings.HasPrefix(rest, "client error") || strings.HasPrefix(rest, "server error")
	}
	m := statusNamed.FindStringSubmatch(s)
	if m == nil || !httpBegins.MatchString(s) {
		return false
	}
	code, _ := strconv.Atoi(m[1])
	return http.StatusText(code) != ""
}

// maxDoubt is the length, in bytes, up to which a text is read for words of
// failure; longer ones are contents, as of a knowledge base.
const maxDoubt = 240

// isDoubtful reports words of failure in a short text that do not stand beside
// a negation.
func isDoubtful(s string) bool {
	if len(s) > maxDoubt {
		return false
	}
	return doubt.MatchString(denied.ReplaceAllString(s, " "))
}

var (
	denied = lazyregexp.New(`(?i)\b(?:the|this|your) errors? (?:codes?|messages?) (?:for|of|on|means?)\b|\b(?:no|not|without|any|zero|0|free of|never|if)\s+(?:\w+\s+)?(?:errors?|fail(?:s|ed|ures?)?|problems?|exceptions?|issues?|declined|rejected|denied)\b|\berror-free|\bfail-?safe|` +
		`\b(?:errors?|failed|failures?)\s*[:=]\s*(?:0|none|null|false|no)\b|\berror code:? 0\b|\btime-?out (?:set|is|of|was)\b`)
	doubt = lazyregexp.New(`(?i)\b(?:fail(?:s|ed|ure)?|errors?|exception|unsuccessful(?:ly)?|not successful|timed out|unable to|could not|couldn't|went wrong|denied|rejected|declined|refused)\b`)
)
