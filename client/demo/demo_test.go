package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sampleNow is a Saturday evening, when few people call.
func sampleNow() time.Time { return time.Date(2026, 11, 21, 22, 25, 58, 0, time.UTC) }

func sample(opt Options) *API {
	if opt.Now == nil {
		opt.Now = sampleNow
	}
	return New(opt)
}

// bytesOf is everything that an API can say.
func bytesOf(t *testing.T, a *API) string {
	t.Helper()
	var b strings.Builder
	for _, r := range a.records() {
		list, err := r.listed()
		require.NoError(t, err)
		detail, err := json.Marshal(r.detail())
		require.NoError(t, err)
		b.Write(list)
		b.Write(detail)
	}
	return b.String()
}

func TestSameSeedSameBytes(t *testing.T) {
	one := bytesOf(t, sample(Options{Seed: 7}))
	assert.Equal(t, one, bytesOf(t, sample(Options{Seed: 7})))
	assert.NotEqual(t, one, bytesOf(t, sample(Options{Seed: 8})))
}

// An id that somebody wrote down in the morning means the same call at night.
func TestCallsStayThroughTheDay(t *testing.T) {
	at := func(hour int) map[int]Call {
		a := sample(Options{Now: func() time.Time { return time.Date(2026, 11, 19, hour, 10, 0, 0, time.UTC) }})
		byID := map[int]Call{}
		for _, c := range a.Calls()[1:] { // the newest of all is made to fit the hour
			byID[c.ID] = c
		}
		return byID
	}
	morning, night := at(9), at(23)
	common := 0
	for id, c := range morning {
		if later, ok := night[id]; ok && id%100 != 99 {
			common++
			assert.Equal(t, c.Turns, later.Turns, "call %d", id)
			assert.Equal(t, c.Timestamp, later.Timestamp)
		}
	}
	assert.Greater(t, common, 550)
}

func TestNothingLiesInTheFuture(t *testing.T) {
	for _, now := range []time.Time{
		sampleNow(), time.Date(2026, 3, 1, 0, 0, 5, 0, time.UTC), time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 6, 15, 1, 30, 0, 0, time.FixedZone("", 9*3600)), time.Date(2026, 11, 16, 4, 0, 0, 123, time.UTC),
	} {
		calls := sample(Options{Now: func() time.Time { return now }}).Calls()
		require.Len(t, calls, 600)
		ids := map[string]bool{}
		for i, c := range calls {
			end := c.Timestamp.Add(lasted(c.Seconds))
			require.Falsef(t, end.After(now), "call %d ends %s, now is %s", c.ID, end, now)
			require.False(t, c.CreatedAt.Before(end.Truncate(time.Second)))
			require.False(t, c.CreatedAt.After(now))
			require.False(t, c.UpdatedAt.Before(c.CreatedAt))
			require.False(t, c.UpdatedAt.After(now))
			require.True(t, c.Timestamp.After(now.AddDate(0, 0, -30)), "call %d is too old", c.ID)
			require.True(t, i == 0 || !c.Timestamp.After(calls[i-1].Timestamp), "order")
			ids[fmt.Sprint(c.ID)], ids[c.CallID] = true, true
		}
		assert.Len(t, ids, 1200, "ids are unique")
		assert.Less(t, now.Sub(calls[0].Timestamp.Add(lasted(calls[0].Seconds))), 5*time.Minute, "the newest call")
		assert.Greater(t, now.Sub(calls[599].Timestamp), 27*24*time.Hour, "the oldest call")
	}
}

// Where many call, some are still speaking; they are not in the log yet.
func TestCallsUnderWayAreMissing(t *testing.T) {
	for minute := range 6 {
		now := time.Date(2026, 11, 17, 15, 9*minute, 0, 0, time.UTC)
		for _, c := range sample(Options{Calls: 2000, Days: 7, Now: func() time.Time { return now }}).Calls()[:100] {
			require.False(t, c.Timestamp.Add(lasted(c.Seconds)).After(now), "call %d", c.ID)
		}
	}
}

func TestOtherSizes(t *testing.T) {
	for _, opt := range []Options{{Calls: 1}, {Calls: 7, Days: 30}, {Calls: 50, Days: 1}, {Calls: 5000, Days: 90}} {
		a := sample(opt)
		ids := map[int]bool{}
		for _, c := range a.Calls() {
			ids[c.ID] = true
			require.True(t, c.Timestamp.After(sampleNow().AddDate(0, 0, -opt.Days)) || opt.Days == 0)
		}
		assert.Len(t, ids, opt.Calls, "%+v", opt)
	}
	assert.Empty(t, sample(Options{Calls: -1}).Calls())
}

// share is how many of calls hold.
func share(calls []Call, holds func(Call) bool) float64 {
	n := 0
	for _, c := range calls {
		if holds(c) {
			n++
		}
	}
	return float64(n) / float64(len(calls))
}

func only(calls []Call, keep func(Call) bool) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return !keep(c) })
}

func failed(c Call) bool   { return c.Success != nil && !*c.Success }
func timedOut(c Call) bool { return c.EndedReason == "silence-timed-out" }

func TestTheMix(t *testing.T) {
	for seed := range uint64(4) {
		calls := sample(Options{Seed: seed}).Calls()
		assert.InDelta(t, 0.22, share(calls, failed), 0.04, "failures of seed %d", seed)
		for _, c := range calls[:3] {
			assert.Nil(t, c.Success)
			assert.Empty(t, c.Metrics)
			assert.Nil(t, (&record{Call: c}).status())
		}
		assert.Less(t, share(calls, func(c Call) bool { return c.Success == nil }), 0.03)
		assert.InDelta(t, 0.09, share(calls, func(c Call) bool { return c.Reviewed }), 0.05)
		long := only(calls, func(c Call) bool { return len(c.Turns) > 100 })
		assert.NotEmpty(t, long, "calls of more than 100 turns")

		courses, reasons, agents := map[string]map[string]bool{}, map[string]bool{}, map[int]bool{}
		for _, c := range only(calls, func(c Call) bool { return c.Success != nil }) {
			if courses[c.Topic] == nil {
				courses[c.Topic] = map[string]bool{}
			}
			courses[c.Topic][dateless(c.Evaluation)] = true
			reasons[c.EndedReason], agents[c.Agent] = true, true
			assert.Equal(t, failed(c), c.DropoffPoint != "" || c.EndedReason == "customer-did-not-answer", "call %d", c.ID)
		}
		assert.GreaterOrEqual(t, len(courses), 8)
		for topic, c := range courses {
			assert.GreaterOrEqual(t, len(c), 4, "courses of %s", topic)
		}
		assert.GreaterOrEqual(t, len(reasons), 6)
		assert.GreaterOrEqual(t, len(agents), 4)
	}
}

// dateless cuts an evaluation down to what its course says in every call.
func dateless(s string) string { return s[:min(18, len(s))] }

func TestTheBadRelease(t *testing.T) {
	for seed := range uint64(4) {
		calls := only(sample(Options{Seed: seed}).Calls(), func(c Call) bool { return c.Agent == 2142 && c.Success != nil })
		day := sampleNow().Truncate(24*time.Hour).AddDate(0, 0, -badReleaseDays)
		isBad := func(c Call) bool { return c.Metadata["release"] == "r42" }
		bad, good := only(calls, isBad), only(calls, func(c Call) bool { return !isBad(c) })
		require.Greater(t, len(bad), 40)
		for _, c := range calls {
			require.Equal(t, !c.Timestamp.Before(day), isBad(c), "r42 runs from that day on")
		}
		assert.Greater(t, share(bad, timedOut), 0.3)
		assert.Less(t, share(good, timedOut), 0.1)
		asked := func(c Call) bool {
			return strings.Contains(strings.ToLower(speech(c, RoleAgent)), "are you still there")
		}
		assert.Greater(t, share(only(bad, timedOut), asked), 0.9)
	}
}

func TestTheSlowTool(t *testing.T) {
	day := sampleNow().Truncate(24*time.Hour).AddDate(0, 0, -slowToolDays)
	var used, broken [2]int
	angry := 0
	for seed := range uint64(4) {
		for _, c := range sample(Options{Seed: seed}).Calls() {
			i := 0
			if !c.Timestamp.Before(day) {
				i = 1
			}
			for _, u := range c.Turns {
				if u.Role != RoleResult || u.Tool.Name != "lookup_order" {
					continue
				}
				used[i]++
				if u.Tool.Result != "timeout after 8 s" {
					continue
				}
				broken[i]++
				if c.Success != nil {
					assert.True(t, slices.ContainsFunc(c.Metrics, func(m Metric) bool { return m.Name == metricTool && m.Score == 0 }), "call %d", c.ID)
				}
				if slices.Contains(c.Critical, "angry customer") {
					angry++
				}
			}
		}
	}
	assert.Zero(t, broken[0], "before")
	require.Greater(t, used[1], 80)
	assert.InDelta(t, 0.5, float64(broken[1])/float64(used[1]), 0.12)
	assert.Greater(t, angry, 10)
}

func speech(c Call, role string) string {
	var b strings.Builder
	for _, u := range c.Turns {
		if role == "" || u.Role == role {
			b.WriteString(u.Content + "\n")
		}
	}
	return b.String()
}

func TestTurnsMakeSense(t *testing.T) {
	for _, c := range sample(Options{}).Calls() {
		latest, pending := 0.0, ""
		for i, u := range c.Turns {
			at := fmt.Sprintf("call %d turn %d", c.ID, i+1)
			require.LessOrEqual(t, u.Start, u.End, at)
			require.LessOrEqual(t, u.End, c.Seconds, at)
			if i > 0 {
				require.GreaterOrEqual(t, u.Start, c.Turns[i-1].Start, at)
			}
			if u.Start < latest { // only callers interrupt
				require.Equal(t, RoleCaller, u.Role, at)
			}
			latest = max(latest, u.End)
			assert.NotRegexp(t, `\{[a-z_]+\}|[#%]|  `, u.Content, at)
			switch u.Role {
			case RoleTool:
				pending = u.Tool.ID
				assert.True(t, json.Valid([]byte(u.Tool.Arguments)), "%s: %s", at, u.Tool.Arguments)
			case RoleResult:
				assert.Equal(t, pending, u.Tool.ID, at)
				assert.True(t, u.Tool.Failed || json.Valid([]byte(u.Tool.Result)), "%s: %s", at, u.Tool.Result)
				assert.NotRegexp(t, `\{[a-z_]+\}|[#%]`, u.Tool.Result, at)
			default:
				assert.NotEmpty(t, u.Content, at)
			}
		}
		assert.NotRegexp(t, `\{|[#%]`, c.Evaluation+c.DropoffPoint)
	}
}

func TestExplanationsAreTrue(t *testing.T) {
	times, quoted := regexp.MustCompile(`\b\d\d:\d\d\b`), regexp.MustCompile(`"([^"]*)"`)
	seen := map[string]int{}
	for _, c := range sample(Options{}).Calls() {
		starts, words := map[string]bool{}, speech(c, "")
		for _, u := range c.Turns {
			starts[clock(u.Start)] = true
			if u.Tool != nil {
				words += u.Tool.Result + "\n"
			}
		}
		for _, m := range c.Metrics {
			seen[m.Name]++
			require.NotEmpty(t, m.Explanation)
			for _, e := range m.Explanation {
				ts, qs := times.FindAllString(e, -1), quoted.FindAllStringSubmatch(e, -1)
				assert.NotZero(t, len(ts)+len(qs), "call %d: %s cites nothing", c.ID, e)
				for _, at := range ts {
					assert.True(t, starts[at] || strings.Contains(words, at), "call %d: no turn at %s: %s", c.ID, at, e)
				}
				for _, q := range qs {
					assert.Contains(t, words, q[1], "call %d: %s", c.ID, e)
				}
			}
			checkScore(t, c, m)
		}
	}
	assert.Len(t, seen, 9)
}

// checkScore computes anew what can be computed.
func checkScore(t *testing.T, c Call, m Metric) {
	t.Helper()
	var mine, all, overlaps, errors float64
	for i, u := range c.Turns {
		all += u.End - u.Start
		if u.Role == RoleAgent {
			mine += u.End - u.Start
		}
		if i > 0 && u.Role == RoleCaller && c.Turns[i-1].Role == RoleAgent && u.Start < c.Turns[i-1].End {
			overlaps++
		}
		if u.Tool != nil && u.Tool.Failed {
			errors++
		}
	}
	switch m.Name {
	case metricTalk:
		assert.InDelta(t, mine/all, m.Score, 0.006, "call %d", c.ID)
	case metricInterruptions:
		assert.InDelta(t, overlaps, m.Score, 0, "call %d", c.ID)
	case metricTool:
		assert.Equal(t, errors > 0, m.Score == 0, "call %d", c.ID)
	case metricCSAT:
		assert.True(t, m.Score >= 1 && m.Score <= 5 && m.Score == math.Trunc(m.Score))
	case metricSentiment:
		assert.Contains(t, []string{"positive", "neutral", "negative", "angry"}, m.Value)
	}
}

func TestWhatMaskingIsFor(t *testing.T) {
	var all strings.Builder
	numbers := map[string]bool{}
	for _, c := range sample(Options{}).Calls() {
		all.WriteString(speech(c, RoleCaller))
		numbers[c.Customer] = true
		if strings.HasPrefix(c.Customer, "+1") {
			assert.Regexp(t, `^\+1\d{3}55501\d\d$`, c.Customer)
		} else if strings.HasPrefix(c.Customer, "+") {
			assert.Regexp(t, `^\+44(207946|161496|131496|7700900)\d+$`, c.Customer)
		}
	}
	assert.Greater(t, len(numbers), 400)
	assert.True(t, numbers["anonymous"] && numbers[""])
	words := all.String()
	cards := regexp.MustCompile(`\b\d{4} (\d{4} \d{4} \d{4}|\d{6} \d{5})\b`).FindAllString(words, -1)
	assert.Greater(t, len(cards), 10)
	for _, card := range cards {
		assert.True(t, luhn(card), card)
	}
	mails := regexp.MustCompile(`\S+@\S+`).FindAllString(words, -1)
	assert.Greater(t, len(mails), 10)
	for _, m := range mails {
		assert.Regexp(t, `@(mail\.)?example\.(com|org|net),?$`, m)
	}
	assert.Greater(t, len(regexp.MustCompile(`\b\d{3} 555 01\d\d\b`).FindAllString(words, -1)), 20)
	assert.GreaterOrEqual(t, len(regexp.MustCompile(`ignore (your|all previous) instructions|system prompt|disregard`).FindAllString(words, -1)), 3)
}

func luhn(s string) bool {
	sum, odd := 0, true
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == ' ' {
			continue
		}
		d := int(s[i] - '0')
		if odd = !odd; odd {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		sample(Options{}).load()
	}
}
