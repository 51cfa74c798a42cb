package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// A player performs one course of a call. Times are hundredths of a second
// from the start of the call, so that they add up exactly.
type player struct {
	lib    *library
	kind   *kind
	course *course // what the call has become, if a failure took it elsewhere
	rng    *rand.Rand
	at     time.Time // the call's day, for the dates that are said in it
	agent  line
	number string // the customer's
	slow   bool   // lookup_order has begun to fail

	facts  map[string]string
	recent map[string]int // what a slot became last, so that nobody repeats himself
	turns  []Turn
	now    int // when the last turn ended
	pause  int // silence to come before the next
	pace   int // how long the agent usually takes to answer
	faults []finding
	tone   finding
	buf    []byte // scratch
}

// A finding is what an evaluator would notice about a turn.
type finding struct {
	name, text string
	turn       int // index of the turn, -1 for none
}

func (p *player) play(c *course) {
	p.course = c
	p.tone.turn = -1
	p.pace = 70 + p.rng.IntN(80)
	p.now = 20 + p.rng.IntN(60)
	p.run(c.steps)
}

// run performs steps, and reports false where the call went another way and is
// over.
func (p *player) run(steps []step) bool {
	happens := true
	for i := range steps {
		s := &steps[i]
		if s.chance != asBefore {
			happens = s.chance == 100 || p.rng.IntN(100) < s.chance
		}
		if happens && !p.perform(s) {
			return false
		}
	}
	return true
}

func (p *player) perform(s *step) bool {
	switch s.verb {
	case agent:
		p.say(RoleAgent, p.expand(pick(p.rng, s.texts)), false)
	case caller:
		p.say(RoleCaller, p.expand(pick(p.rng, s.texts)), p.rng.IntN(30) == 0)
	case over:
		p.say(RoleCaller, p.expand(pick(p.rng, s.texts)), true)
	case quiet:
		p.pause += s.n*85 + p.rng.IntN(s.n*30)
	case mood:
		p.tone = finding{name: s.name, turn: len(p.turns) - 1}
	case fault:
		p.faults = append(p.faults, finding{s.name, p.expand(s.texts[0]), len(p.turns) - 1})
	case tool, broken:
		return p.use(s)
	case do:
		return p.run(p.way(p.block(s.name)).steps)
	case some:
		ways := p.block(s.name)
		n := s.n + p.rng.IntN(s.m-s.n+1)
		for _, i := range p.rng.Perm(len(ways)) {
			if n--; n < 0 {
				break
			}
			if !p.run(ways[i].steps) {
				return false
			}
		}
	}
	return true
}

func (p *player) block(name string) []way {
	ways, ok := p.kind.blocks[name]
	if !ok {
		ways = p.lib.shared.blocks[name]
	}
	if len(ways) > 1 && len(ways[0].steps) == 0 {
		return ways[1:] // the block began with a "--"
	}
	return ways
}

func (p *player) way(ways []way) way {
	sum := 0
	for _, w := range ways {
		sum += w.weight
	}
	n := p.rng.IntN(max(1, sum))
	for _, w := range ways {
		if n -= w.weight; n < 0 {
			return w
		}
	}
	return way{}
}

// say adds a spoken turn. People speak about 2.7 words a second, and spell
// digits; the agent needs its time to answer, and sometimes far more of it.
func (p *player) say(role, text string, early bool) {
	long := 35 + 8*digits(text) + (strings.Count(text, " ")+1)*(30+p.rng.IntN(10))
	start := p.now + p.gap(role) + p.pause
	if last := len(p.turns) - 1; early && p.pause == 0 && last >= 0 && p.turns[last].Role == RoleAgent {
		start = max(int(p.turns[last].Start*100)+40, p.now-20-p.rng.IntN(110))
	}
	p.pause = 0
	p.turns = append(p.turns, Turn{Role: role, Content: text, Start: seconds(start), End: seconds(start + long)})
	p.now = max(p.now, start+long)
}

// gap is the silence that one leaves before one speaks.
func (p *player) gap(role string) int {
	last := len(p.turns) - 1
	switch {
	case last < 0:
		return 0
	case p.turns[last].Role == role || p.turns[last].Role == RoleResult:
		return 30 + p.rng.IntN(60)
	case role == RoleCaller && p.rng.IntN(25) == 0:
		return 250 + p.rng.IntN(300) // somebody looks for a card or a letter
	case role == RoleCaller:
		return 25 + p.rng.IntN(120)
	case p.rng.IntN(18) == 0:
		return p.pace + 200 + p.rng.IntN(420)
	}
	return p.pace + p.rng.IntN(90)
}

// use lets the agent call a tool. While lookup_order is slow, half of its
// calls time out, and most of these calls then go another way.
func (p *player) use(s *step) bool {
	if s.name != "lookup_order" || !p.slow || s.verb == broken || p.rng.IntN(2) == 0 {
		p.answer(s.name, p.expand(s.texts[0]), p.expand(s.texts[1]), s.n, s.verb == broken)
		return true
	}
	p.answer(s.name, p.expand(s.texts[0]), "timeout after 8 s", 8, true)
	c := p.lib.broken[p.rng.IntN(len(p.lib.broken))]
	if c.ok { // the second try works
		p.run(c.steps)
		p.answer(s.name, p.expand(s.texts[0]), p.expand(s.texts[1]), s.n, false)
		return true
	}
	p.course = &c
	p.run(c.steps)
	return false
}

func (p *player) answer(name, args, result string, secs int, failed bool) {
	if failed && !strings.HasPrefix(result, "timeout") {
		result = `{"error":"` + result + `"}`
	}
	took := 40 + p.rng.IntN(240)
	if secs > 0 {
		took = secs*100 + p.rng.IntN(12)
	}
	id := "fc_" + strconv.FormatUint(1<<24|uint64(p.rng.Uint32()>>8), 16)[1:]
	start := p.now + 10 + p.rng.IntN(40)
	end := start + took
	p.turns = append(p.turns,
		Turn{Role: RoleTool, Start: seconds(start), End: seconds(start), Tool: &Tool{ID: id, Name: name, Arguments: args}},
		Turn{Role: RoleResult, Start: seconds(end), End: seconds(end), Tool: &Tool{ID: id, Name: name, Result: result, Failed: failed}})
	p.now = end
}

func seconds(hundredths int) float64 { return float64(hundredths) / 100 }

func digits(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }
