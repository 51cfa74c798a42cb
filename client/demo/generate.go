package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// The planted incidents begin at the start of a UTC day, so many days before
// today, and last.
const (
	badReleaseDays = 9
	slowToolDays   = 3
)

// A line is a voice agent that answers calls.
type line struct {
	id               int
	name             string
	brand, voice     string // what it calls itself
	assistant, queue string
}

func lines() []line {
	return []line{
		{2142, "Support EN", "Larkfield Support", "Nora", "asst_support_en", "support"},
		{2143, "Billing", "Larkfield Billing", "Theo", "asst_billing", "billing"},
		{2150, "Pharmacy line", "Larkfield Pharmacy", "Ivy", "asst_pharmacy", "pharmacy"},
		{2151, "Bookings", "Larkfield Clinics", "Mara", "asst_bookings", "bookings"},
		{2160, "Deliveries", "Larkfield Parcels", "Otto", "asst_deliveries", "parcels"},
	}
}

// A generator makes the sample calls of one API.
type generator struct {
	opt    Options
	lib    *library
	now    time.Time
	today  time.Time // the UTC day of now
	lines  []line
	scenes []scene
	width  int // ids of a day
	last   player
}

// A scene is a kind of call on an agent.
type scene struct {
	kind   *kind
	line   line
	weight int
}

// generate makes opt.Calls calls, newest first. What a call of a certain day
// says depends on the seed and that day alone, so that an id means the same
// call all day long; only the newest of all is made to fit now.
func generate(opt Options, lib *library, now time.Time) []*record {
	if opt.Calls == 0 {
		return nil
	}
	now = now.UTC().Truncate(time.Second)
	g := &generator{opt: opt, lib: lib, now: now, today: now.Truncate(24 * time.Hour), lines: lines()}
	g.last.facts, g.last.recent = map[string]string{}, map[string]int{}
	for i := range lib.kinds {
		for _, l := range g.lines {
			if w := lib.kinds[i].weights[l.id]; w > 0 {
				g.scenes = append(g.scenes, scene{&lib.kinds[i], l, w})
			}
		}
	}
	slots := g.calendar()
	for g.width = 100; g.width <= 4*opt.Calls/opt.Days; g.width *= 10 {
	}
	all := make([]*record, 0, opt.Calls)
	all = append(all, &record{Call: g.justEnded()})
	for i := len(slots) - 1; i >= 0 && len(all) < opt.Calls; i-- {
		c := g.call(slots[i].at, slots[i].n)
		if end := c.Timestamp.Add(lasted(c.Seconds)); end.Before(now.Add(-time.Minute)) {
			all = append(all, &record{Call: c})
		}
	}
	slices.SortFunc(all, newestFirst)
	for i, r := range all {
		g.age(&r.Call, i < 3)
	}
	return all
}

// A slot is when a call arrives, and which of its day it is.
type slot struct {
	at time.Time
	n  int
}

// calendar returns at least opt.Calls slots within the window up to now,
// oldest first. More come in on working days, and by day in America and
// Europe.
func (g *generator) calendar() []slot {
	from := g.now.AddDate(0, 0, -g.opt.Days).Add(time.Minute)
	for rate := 1.04; ; rate *= 1.04 {
		var out []slot
		for d := g.opt.Days; d >= 0; d-- {
			for _, s := range g.day(g.today.AddDate(0, 0, -d), rate) {
				if !s.at.Before(from) && s.at.Before(g.now) {
					out = append(out, s)
				}
			}
		}
		if len(out) >= g.opt.Calls+2 { // one or two may not have ended yet
			return out
		}
	}
}

func (g *generator) day(day time.Time, rate float64) []slot {
	week := [7]float64{0.62, 1.2, 1.12, 1.08, 1.1, 1.1, 0.78} // from Sunday, 1 on average
	hours := [24]int{2, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 11, 14, 15, 15, 14, 13, 12, 10, 8, 6, 4}
	rng := g.rand(day, 0)
	want := rate*week[day.Weekday()]*float64(g.opt.Calls)/float64(g.opt.Days) + rng.Float64()
	out := make([]slot, int(want))
	for i := range out {
		n, hour := rng.IntN(180), 0
		for ; hour < 23 && n >= hours[hour]; hour++ {
			n -= hours[hour]
		}
		out[i].at = day.Add(time.Duration(hour)*time.Hour + time.Duration(rng.IntN(3600))*time.Second)
	}
	slices.SortFunc(out, func(a, b slot) int { return a.at.Compare(b.at) })
	for i := range out {
		out[i].n = i + 1
	}
	return out
}

// rand is the chance that belongs to one slot of one day.
func (g *generator) rand(day time.Time, n int) *rand.Rand {
	return rand.New(rand.NewPCG(g.opt.Seed^0x9e3779b97f4a7c15, uint64(day.Unix())<<16|uint64(n)))
}

// justEnded is a call that is minutes old, at any hour.
func (g *generator) justEnded() Call {
	c := g.call(g.now, g.width-1)
	started := g.now.Add(-lasted(c.Seconds) - time.Duration(100+c.ID%90)*time.Second)
	c.Timestamp = started.Truncate(time.Second)
	return c
}

// call makes the n-th call of a day.
func (g *generator) call(at time.Time, n int) Call {
	day := at.Truncate(24 * time.Hour)
	rng := g.rand(day, n)
	s := g.scene(rng)
	p := g.player(s, day, rng)
	release := g.release(day, s.line, rng)
	c := g.pickCourse(s.kind, rng)
	if release == "r42" && rng.IntN(100) < 45 {
		c = &g.lib.deaf
	}
	p.play(c)
	id := (int(day.Unix()/86400)-20000)*g.width + n
	out := Call{
		ID: id, CallID: fmt.Sprintf("call_%08x", uint32(id)*2654435761^uint32(g.opt.Seed)),
		Project: Project, Agent: s.line.id, AgentName: s.line.name, AssistantID: s.line.assistant,
		Timestamp: at, Seconds: p.length(), Topic: s.kind.topic, Customer: p.number,
		EndedReason: p.course.reason, ErrorMessage: p.course.failure, Turns: slices.Clone(p.turns),
		DropoffPoint: p.expand(p.course.drop), Evaluation: p.expand(p.course.sum), Success: &p.course.ok,
	}
	out.Metrics = p.evaluate()
	out.Critical = critical(out)
	p.describe(&out, release)
	return out
}

// player is the last call's player, made ready for another.
func (g *generator) player(s scene, day time.Time, rng *rand.Rand) *player {
	p := &g.last
	clear(p.facts)
	clear(p.recent)
	*p = player{lib: g.lib, kind: s.kind, rng: rng, at: day, agent: s.line, number: number(rng),
		slow:  !day.Before(g.today.AddDate(0, 0, -slowToolDays)),
		facts: p.facts, recent: p.recent, turns: p.turns[:0], faults: p.faults[:0], buf: p.buf[:0]}
	return p
}

func (g *generator) scene(rng *rand.Rand) scene {
	sum := 0
	for _, s := range g.scenes {
		sum += s.weight
	}
	n := rng.IntN(sum)
	for _, s := range g.scenes {
		if n -= s.weight; n < 0 {
			return s
		}
	}
	return g.scenes[0]
}

func (g *generator) pickCourse(k *kind, rng *rand.Rand) *course {
	sum := 0
	for i := range k.courses {
		sum += k.courses[i].weight
	}
	n := rng.IntN(sum)
	for i := range k.courses {
		if n -= k.courses[i].weight; n < 0 {
			return &k.courses[i]
		}
	}
	return &k.courses[0]
}

// release is what ran: r42 went to Support EN alone.
func (g *generator) release(day time.Time, l line, rng *rand.Rand) string {
	switch {
	case l.id == 2142 && !day.Before(g.today.AddDate(0, 0, -badReleaseDays)):
		return "r42"
	case day.Before(g.today.AddDate(0, 0, -20)) && rng.IntN(5) > 0:
		return "r40"
	}
	return "r41"
}

// length is how long the call took: a moment longer than the talk.
func (p *player) length() float64 {
	if len(p.turns) == 0 {
		return 0
	}
	return seconds(p.now + p.pause + 40 + p.rng.IntN(160))
}

// age gives a call what time brings: it is evaluated after some minutes, now
// and then after hours, and a few are reviewed by somebody a day later. The
// newest are not evaluated yet.
func (g *generator) age(c *Call, newest bool) {
	rng := g.rand(c.Timestamp, c.ID)
	end := c.Timestamp.Add(lasted(c.Seconds)).Truncate(time.Second)
	c.CreatedAt = end.Add(time.Duration(3+rng.IntN(20)) * time.Second)
	evaluated := c.CreatedAt.Add(time.Duration(90+rng.IntN(900)) * time.Second)
	if rng.IntN(12) == 0 {
		evaluated = evaluated.Add(time.Duration(rng.IntN(150)) * time.Minute)
	}
	if newest || evaluated.After(g.now) {
		c.UpdatedAt = c.CreatedAt
		c.Success, c.Metrics, c.Critical, c.Evaluation, c.DropoffPoint = nil, nil, nil, "", ""
		return
	}
	c.UpdatedAt = evaluated
	reviewed := evaluated.Add(time.Duration(4+rng.IntN(30)) * time.Hour)
	if rng.IntN(10) > 0 || reviewed.After(g.now) {
		return
	}
	c.Reviewed, c.UpdatedAt = true, reviewed
	praise := []string{"Handled well.", "Good recovery after a rough start.", "", "Clear and friendly, nothing to add."}
	blame := []string{"Agree, this one is on us.", "Please call the customer back.", "", "The agent should have offered a callback.", "Same pattern as the calls before it."}
	c.Feedback = pick(rng, praise)
	if !*c.Success {
		c.Feedback = pick(rng, blame)
	}
}

func lasted(secs float64) time.Duration { return time.Duration(secs * float64(time.Second)) }
