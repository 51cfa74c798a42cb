package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// expand fills the slots of a phrase.
func (p *player) expand(ph phrase) string {
	if len(ph) == 1 && !ph[0].slot {
		return ph[0].words
	}
	start := len(p.buf) // a slot may be filled by a phrase, so this nests
	for _, part := range ph {
		words := part.words
		if part.slot {
			words = p.slot(words)
		}
		p.buf = append(p.buf, words...)
	}
	s := string(p.buf[start:])
	p.buf = p.buf[:start]
	return s
}

// slot is what a slot stands for: a fact of the call, or one of a list's
// phrases, or what fact makes of others.
func (p *player) slot(name string) string {
	if v, ok := p.facts[name]; ok {
		return v
	}
	l, ok := p.kind.lists[name]
	if !ok {
		l, ok = p.lib.shared.lists[name]
	}
	if !ok {
		v := p.fact(name)
		p.facts[name] = v
		return v
	}
	i := p.rng.IntN(len(l.phrases))
	if i == p.recent[name]-1 {
		i = (i + 1) % len(l.phrases)
	}
	p.recent[name] = i + 1
	v := p.expand(l.phrases[i])
	if l.fact {
		v = dial(p.rng, v)
		p.facts[name] = v
	}
	return v
}

// dial puts digits for the placeholders of a fact: any for #, 1 to 9 for %.
func dial(rng *rand.Rand, s string) string {
	if !strings.ContainsAny(s, "#%") {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		switch c {
		case '#':
			b[i] = '0' + byte(rng.IntN(10))
		case '%':
			b[i] = '1' + byte(rng.IntN(9))
		}
	}
	return string(b)
}

// fact makes a fact out of others. Only newLibrary's tests meet an unknown
// name, which stays visible in the words.
func (p *player) fact(name string) string {
	switch name {
	case "first", "last", "heard":
		real, heard, _ := strings.Cut(p.slot("person"), " ~ ")
		first, last, _ := strings.Cut(real, " ")
		return map[string]string{"first": first, "last": last, "heard": heard}[name]
	case "name":
		return p.slot("first") + " " + p.slot("last")
	case "email":
		return strings.ToLower(p.slot("first") + "." + p.slot("last") + "@" + p.slot("mail"))
	case "card_end":
		card := p.slot("card")
		return card[len(card)-4:]
	case "phone":
		return spoken(p.number)
	case "brand":
		return p.agent.brand
	case "agent_name":
		return p.agent.voice
	}
	if v, ok := p.date(name); ok {
		return v
	}
	return "{" + name + "}"
}

// date is a fact about a day: "day" is one to come and "past" one gone by, as
// people say them; with "_iso" as tools are told.
func (p *player) date(name string) (string, bool) {
	base, iso := strings.CutSuffix(name, "_iso")
	var t time.Time
	switch base {
	case "today":
		t = p.at
	case "day":
		t = p.at.AddDate(0, 0, 1+p.offset("day", 9))
	case "next_day":
		t = p.at.AddDate(0, 0, 11+p.offset("next_day", 5))
	case "past":
		t = p.at.AddDate(0, 0, -4-p.offset("past", 16))
	default:
		return "", false
	}
	if iso {
		return t.Format(time.DateOnly), true
	}
	if base == "past" {
		return t.Format("January 2"), true
	}
	return t.Format("Monday") + " the " + ordinal(t.Day()), true
}

// offset is the same number for one name throughout the call.
func (p *player) offset(name string, n int) int {
	key := "offset " + name
	v, ok := p.facts[key]
	if !ok {
		v = string(rune('a' + p.rng.IntN(n)))
		p.facts[key] = v
	}
	return int(v[0] - 'a')
}

func ordinal(n int) string {
	suffix := "th"
	if n/10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// spoken is a number as a caller says it and a recogniser writes it.
func spoken(e164 string) string {
	switch {
	case strings.HasPrefix(e164, "+1") && len(e164) == 12:
		return e164[2:5] + " " + e164[5:8] + " " + e164[8:]
	case strings.HasPrefix(e164, "+4420") && len(e164) == 13:
		return "020 " + e164[5:9] + " " + e164[9:]
	case strings.HasPrefix(e164, "+447") && len(e164) == 13:
		return "0" + e164[3:7] + " " + e164[7:]
	case strings.HasPrefix(e164, "+44") && len(e164) == 13:
		return "0" + e164[3:6] + " " + e164[6:9] + " " + e164[9:]
	}
	return "415 555 0142"
}

// number is a telephone number of those kept for fiction: 555-01xx in North
// America, and Ofcom's drama numbers in the United Kingdom.
func number(rng *rand.Rand) string {
	american := []string{"212", "206", "303", "312", "404", "415", "503", "512", "617", "702", "718", "805"}
	british := []string{"+44207946", "+441614960", "+441314960", "+447700900"}
	if rng.IntN(100) < 72 {
		return dial(rng, "+1"+pick(rng, american)+"55501##")
	}
	prefix := pick(rng, british)
	return dial(rng, prefix+strings.Repeat("#", 13-len(prefix)))
}
