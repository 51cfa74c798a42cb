package loose

import (
	"strings"
	"unicode"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/lazyregexp"
)

// A kind is what an entry of a transcript is.
type kind int

const (
	unknown kind = iota
	said
	toolCall
	toolResult
	event  // something that happened to the call, such as a transfer
	silent // no part of the talk
)

// A part is the role and the kind that an entry's role or type names.
type part struct {
	role call.Role
	kind kind
}

// parts are the common names of roles and types, as plainName writes them, and with
// capitals, as many are written.
var parts = func() map[string]part {
	m := map[string]part{}
	for p, names := range map[part]string{
		{call.RoleAgent, said}: "agent,main agent,bot,assistant,ai,ai agent,ai assistant,ai bot,voice agent,voice bot,voice assistant,virtual agent,virtual assistant," +
			"model,llm,chatbot,operator,representative,rep,advisor,receptionist,support,support agent,customer service,customer support,customer care," +
			"sales,sales agent,human agent,live agent,call agent,call center agent,service agent,agent speech,agent transcript,assistant message,agent message,bot message,ai message,agent response,response agent,tts,phone agent,assistent,system agent," +
			"automated agent,ivr,robot,internal,phone bot,call bot,acd,agente,asistente,operador,operadora,operatore,operatrice,atendente,assistente,conseiller,conseillère,mitarbeiter,mitarbeiterin,medewerker,berater",
		{call.RoleCaller, said}: "testing agent,test agent,user,customer,caller,human,client,patient,guest,lead,contact,consumer,subscriber,member,prospect,end user," +
			"user message,human message,customer message,user speech,user transcript,user transcription,caller speech,simulated user,visitor,remote party," +
			"person,phone user,external,cliente,usuario,usuário,usuaria,llamante,chiamante,appelant,kunde,kundin,anrufer,anruferin,klant,beller,utente,utilisateur,benutzer,nutzer",
		{call.RoleTool, toolCall}: "function call,tool call,tool calls,function calls,tool call invocation,tool invocation,tool use,tool request,tool execution," +
			"function call request,server tool use,tool start,invocation",
		{call.RoleTool, toolResult}: "function call result,tool call result,tool result,tool results,function result,tool,function call output,tool output,tool response," +
			"function response,function output,function call response,tool call response,tool call output,tool message,ipython,observation,tool end",
		{call.RoleTool, unknown}:  "function", // a call or a result, as its members tell
		{call.RoleSystem, said}:   "system,developer,instruction,system message,narrator system",
		{call.RoleSystem, event}:  "dtmf,keypress,key press,keypad,transfer,call transfer,transfer call,transfer target,node transition,node change,agent handoff,handoff,handover,state transition,event,flow transition,agent transfer,warm transfer,sms,injected",
		{call.RoleSystem, silent}: "agent config update,instructions,session config,metrics,heartbeat",
		{"", unknown}:             "message,text,transcript,item,entry,utterance,segment,speech,turn,conversation item,final,chat message",
	} {
		for name := range strings.SplitSeq(names, ",") {
			m[name], m[capitals(name)] = p, p
		}
	}
	return m
}()

// callees speak for the agent, unless somebody else does: then they are who was
// called.
var callees = map[string]bool{"callee": true, "called party": true, "recipient": true, "answerer": true}

var (
	decoration = lazyregexp.New(`[*_#>` + "`" + `~"]+|^[-–•\s]+|[\s:.,-]+$`)
	numbered   = lazyregexp.New(`[\s#-]*\d+$`)
	bracketed  = lazyregexp.New(`^([^()\[\]]*)[(\[]([^()\[\]]*)[)\]]\s*$`)
)

// plainName is a name of a role in small letters, with blanks between its words.
func plainName(s string) string {
	if len(s) > 80 {
		return s
	}
	return strings.Join(strings.Fields(strings.ToLower(joints.Replace(uncamel(s)))), " ")
}

// capitals is a plain name with its words in capitals: Main Agent.
func capitals(name string) string {
	b := []byte(name)
	for i := range b {
		if (i == 0 || b[i-1] == ' ') && 'a' <= b[i] && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// uncamel puts a blank between a small letter of ASCII and a large one.
func uncamel(s string) string {
	for i := len(s) - 1; i > 0; i-- {
		if 'A' <= s[i] && s[i] <= 'Z' && 'a' <= s[i-1] && s[i-1] <= 'z' {
			s = s[:i] + " " + s[i:]
		}
	}
	return s
}

// joints stand between the words of a name.
var joints = strings.NewReplacer("_", " ", "-", " ", "/", " ", ".", " ")

// partOf reads the spellings of a role or type: "Main Agent", "AI Assistant",
// "Agent 1", "user (Anna)", "function_call_output".
func partOf(s string) (part, bool) {
	if p, ok := parts[s]; ok { // as most are written
		return p, true
	}
	name := plainName(s)
	if p, ok := parts[name]; ok {
		return p, true
	}
	for _, plainer := range []string{numbered.ReplaceAllString(name, ""), bareRole(name)} {
		if p, ok := parts[plainer]; ok && p.kind == said {
			return p, true
		}
	}
	if m := bracketed.FindStringSubmatch(name); m != nil {
		for _, half := range []string{m[1], m[2]} {
			if p, ok := parts[numbered.ReplaceAllString(strings.TrimSpace(half), "")]; ok && p.kind == said {
				return p, true
			}
		}
	}
	return part{}, false
}

// bareRole is a name without what is written around roles: "speaker_agent",
// "assistant_speech", "bot 🤖".
func bareRole(name string) string {
	name = strings.TrimFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
	name = strings.TrimPrefix(strings.TrimPrefix(name, "speaker "), "role ")
	if head, last, ok := strings.Cut(name, " "); ok && roleSuffix[last] {
		return head
	}
	return name
}

var roleSuffix = map[string]bool{"speech": true, "message": true, "transcript": true, "utterance": true, "turn": true, "side": true, "channel": true, "leg": true, "voice": true, "said": true}

// settle gives turns of unnamed speakers their role, once all are read.
func settle(entries []entry) {
	agent, caller := false, false
	for i := range entries {
		if p, ok := partOf(entries[i].speaker); ok && p.kind == said {
			agent, caller = agent || p.role == call.RoleAgent, caller || p.role == call.RoleCaller
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.role != "" {
			continue
		}
		if callees[numbered.ReplaceAllString(plainName(e.speaker), "")] {
			if e.role = call.RoleAgent; agent {
				e.role, caller = call.RoleCaller, true
			}
		}
	}
	other := otherSide(entries, agent, caller)
	for i := range entries {
		e := &entries[i]
		switch {
		case e.role != "":
		case e.unread, !agent && !caller:
			e.role = call.RoleSpeaker
		case e.kind == said && e.speaker != "" && other != "":
			e.role, e.words = other, e.speaker+": "+e.words // which says why
		default:
			e.role = call.RoleSystem
		}
	}
}

// otherSide is the role of who speaks under the only name that is no role's, where
// the agent or the caller alone has a known one: of a patient and a nurse, the
// nurse is the agent. It is none where there are more.
func otherSide(entries []entry, agent, caller bool) call.Role {
	name, times := "", 0
	for i := range entries {
		e := &entries[i]
		switch {
		case e.role != "" || e.unread || e.kind != said || e.speaker == "":
		case name != "" && name != e.speaker:
			return ""
		default:
			name, times = e.speaker, times+1
		}
	}
	switch {
	case times == 0 || agent == caller || bystanders[bareRole(plainName(name))]:
		return ""
	case agent:
		return call.RoleCaller
	}
	return call.RoleAgent
}

// bystanders are names of those who are neither on this side nor on the other.
var bystanders = map[string]bool{"narrator": true, "note": true, "notes": true, "log": true, "info": true, "debug": true, "observer": true, "supervisor": true,
	"unknown": true, "other": true, "everyone": true, "background": true, "noise": true, "music": true, "voicemail": true, "transcriber": true, "moderator": true, "status": true, "warning": true}
