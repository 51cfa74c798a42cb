package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// attacks are questions that cost as much as one can make them, for the price of
// one call each.
func attacks(ids []string) (bodies []string) {
	const all = `"timestamp_from":"now-89d","timestamp_to":"now-3d"`
	tool := func(name, args string) { bodies = append(bodies, toolCall(name, "{"+args+"}")) }
	method := func(name, params string) {
		bodies = append(bodies, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s}}`, name, params))
	}
	where := func(field, op string, value any) string {
		b, _ := json.Marshal(map[string]any{"field": field, "op": op, "value": value})
		return string(b)
	}
	filtered := func(filter string) string { return all + `,"filters_v2":` + filter }
	// Regular expressions, as costly as they are allowed to be and beyond.
	for _, re := range []string{`(.{0,30}){0,30}x`, `(a.{0,9}){9}\x00`, `(?:[^b]{0,40}b){9}\x00`, strings.Repeat("a?", 240) + strings.Repeat("a", 9) + `\x00`, `(?i)(e|.){1,150}\x00$`, `\pL{0,400}\x00`} {
		tool("list_call_logs", filtered(where("transcript", "regex", re)))
	}
	tool("aggregate_call_logs", filtered(where("transcript", "regex", `(a.{0,9}){9}\x00`))+`,"group_by":["day"]`)
	tool("list_call_logs", filtered(where("metadata.release", "regex", `(r.{0,9}){9}\x00`)))
	tool("search_transcripts", filtered(where("transcript", "regex", `(t.{0,9}){9}\x00`))+`,"query":"the"`)
	// Conditions, many and long.
	or := func(n int, each func(i int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = each(i)
		}
		return `{"operator":"or","conditions":[` + strings.Join(parts, ",") + `]}`
	}
	tool("list_call_logs", filtered(or(400, func(i int) string { return where("transcript", "contains", fmt.Sprint("\x00", i)) })))
	tool("list_call_logs", filtered(or(400, func(i int) string { return where(fmt.Sprint("metadata.k", i), "contains", fmt.Sprint("no", i)) })))
	tool("list_call_logs", filtered(or(400, func(i int) string { return where("topic", "endswith", fmt.Sprint("no", i)) })))
	tool("list_call_logs", filtered(or(400, func(i int) string { return where("metric_evaluations.metric.name", "eq", fmt.Sprint("no", i)) })))
	tool("list_call_logs", filtered(or(40, func(i int) string { return where(fmt.Sprint("metadata.k", i), "eq", "no") })))
	tool("list_call_logs", filtered(where("transcript", "contains", strings.Repeat("a", 1990))))
	tool("list_call_logs", filtered(where("summary", "neq", "no")+``)+`,"order_by":"oldest","page_size":100`)
	tool("list_call_logs", filtered(where("transcript", "contains", "no such words")))
	tool("list_call_logs", all+`,"topic":"there is none"`)
	tool("list_call_logs", all+`,"order_by":"longest","page_size":100,"max_tokens":10000,"response_format":"json"`)
	tool("list_call_logs", filtered(where("dynamic_variables.none", "isnull", true))+`,"order_by":"shortest","page_size":100`)
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("%q", fmt.Sprint("no", i))
	}
	tool("list_call_logs", all+`,"call_ids":[`+strings.Join(many, ",")+`]`)
	tool("aggregate_call_logs", filtered(`{"field":"customer_number","op":"in","value":[`+strings.Join(many, ",")+`]}`))
	// Words.
	letters := strings.Split("abcdefghijklmnopqrstuvwxyz", "")
	tool("search_transcripts", all+`,"query":"`+strings.Join(letters, "* OR ")+`*"`)
	tool("search_transcripts", all+`,"query":"`+strings.Repeat("a* OR b* OR ", 80)+`c*","order_by":"newest"`)
	tool("search_transcripts", all+`,"query":"the and to of a in is you that it for on","page_size":100,"context_turns":5,"max_tokens":10000`)
	tool("search_transcripts", all+`,"query":"\"the the the\" OR \"to to to\" OR \"you you you\""`)
	tool("search_transcripts", all+`,"query":"`+strings.Repeat("the OR you OR ", 100)+`and"`)
	tool("search_transcripts", all+`,"query":"the -`+strings.Join(letters, "* -")+`*"`)
	tool("search_transcripts", all+`,"query":"s*","order_by":"newest","page_size":100,"response_format":"json","max_tokens":10000`)
	tool("search_transcripts", all+`,"similar_to":"`+ids[0]+`","page_size":100`)
	tool("search_transcripts", filtered(where("duration", "gt", 0))+`,"query":"the to you","role":"caller"`)
	// Counts.
	for _, by := range []string{`"id"`, `"customer_number"`, `"call_id","customer_number"`, `"hour","customer_number"`, `"metadata.release","metric_evaluations.metric.name"`, `"metric_evaluations.metric.name","metric_evaluations.value"`, `"transcript"`, `"minute"`, `"summary","topic"`} {
		tool("aggregate_call_logs", all+`,"limit":200,"compare_to":"previous","group_by":[`+by+`]`)
	}
	for _, field := range []string{"metadata.release", "transcript", "customer_number", "metric_evaluations.value"} {
		tool("describe_fields", fmt.Sprintf(`"field":%q,"max_tokens":10000`, field))
	}
	// Single calls, resources and what stands around.
	tool("get_call_log", fmt.Sprintf(`"id":%q,"max_tokens":10000`, ids[1%len(ids)]))
	tool("get_call_log", `"id":"cekura/999999999"`)
	tool("read_transcript", fmt.Sprintf(`"id":%q,"match":%q,"max_tokens":10000`, ids[2%len(ids)], strings.Join(letters, " ")))
	method("resources/read", fmt.Sprintf(`"uri":"call://%s/transcript?match=a&max_tokens=10000"`, ids[3%len(ids)]))
	method("resources/read", `"uri":"call://`+strings.Repeat("a/", 30_000)+`"`)
	method("resources/list", ``)
	method("completion/complete", `"ref":{"type":"ref/prompt","name":"review_call"},"argument":{"name":"id","value":""}`)
	// Bodies.
	const mib = 1_000_000
	tool("search_transcripts", `"query":"`+strings.Repeat("a ", mib/2)+`"`)
	tool("search_transcripts", `"query":"a","role":"`+strings.Repeat("a", mib)+`"`)
	tool("list_call_logs", `"call_ids":["`+strings.Repeat(`1","`, mib/4)+`1"]`)
	tool("list_call_logs", `"filters_v2":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000))
	tool("list_call_logs", `"cursor":"c1.`+strings.Repeat("A", 90_000)+`"`)
	return bodies
}

// BenchmarkAttack asks for lists as eight principals do, first in quiet and then
// while a ninth sends what costs most, as fast as his rate allows. It runs where
// CALL_LOGS_ATTACK says for how long, such as 15s.
// The goal is that the others' p99 is at most five times that in quiet.
func BenchmarkAttack(b *testing.B) {
	long, err := time.ParseDuration(os.Getenv("CALL_LOGS_ATTACK"))
	if err != nil {
		b.Skip("CALL_LOGS_ATTACK, such as 60s, says for how long")
	}
	path, api := filledCopy(b, 20_000)
	upstream := httptest.NewServer(api)
	defer upstream.Close()
	s := serveCopy(b, built(b), path, upstream.URL)
	bodies := attacks(s.ids)
	for b.Loop() {
		s.lists(5 * time.Second) // caches find their size
		before, began := residentKiB(s.pid), s.cpu()
		quiet := s.lists(long)
		calm := s.cpu() - began
		stop, done := make(chan struct{}), make(chan assault)
		began = s.cpu()
		go func() { done <- s.attack(bodies, long, stop) }()
		under := s.lists(long)
		close(stop)
		a := <-done
		fmt.Printf("lists in quiet: %s\nunder attack: %s\np99 %.1f times; processor %.2f of one in quiet, %.2f under attack; resident %.0f MiB, at most %.0f\nthe attacker's: %s\n",
			quiet, under, ms(under.admitted, 99)/ms(quiet.admitted, 99), calm.Seconds()/long.Seconds(), (s.cpu()-began).Seconds()/long.Seconds(),
			mib(before), mib(a.resident), a)
		b.ReportMetric(ms(quiet.admitted, 99), "quiet-p99-ms")
		b.ReportMetric(ms(under.admitted, 99), "attack-p99-ms")
		b.ReportMetric(mib(a.resident), "MiB")
		require.Zero(b, under.errors, under.first)
	}
}

// lists asks four times a second as each principal.
func (t *target) lists(long time.Duration) *outcome {
	const each = 4
	n := int(long.Seconds() * each * principals)
	answers := make([]answer, n)
	began := time.Now()
	var all sync.WaitGroup
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / (each * principals))
		time.Sleep(time.Until(due))
		all.Go(func() {
			sent := time.Now()
			a := t.post(toolCall("list_call_logs", `{"success":false,"timestamp_from":"now-33d","timestamp_to":"now-3d"}`), i%principals)
			a.kind, a.took, a.waited, a.body = "list", time.Since(sent), 0, nil
			answers[i] = a
		})
	}
	all.Wait()
	return newOutcome(answers, true)
}

// An assault is what came of the attacker's questions.
type assault struct {
	took     []time.Duration // in order
	byStatus map[int]int
	slowest  string
	resident int64 // KiB, at most
}

func (a assault) String() string {
	return fmt.Sprintf("%d sent, %v by status, %s, the slowest: %.160s", len(a.took), a.byStatus, spread(a.took), a.slowest)
}

// attack sends bodies one after the other, at the rate of one principal and with as
// many under way as one may have.
func (t *target) attack(bodies []string, long time.Duration, stop chan struct{}) assault {
	a := assault{byStatus: map[int]int{}}
	pace := rate.NewLimiter(10, 60)
	places := make(chan struct{}, 16)
	var mu sync.Mutex
	var all sync.WaitGroup
	var worst time.Duration
	until := time.Now().Add(long)
	for i := 0; time.Now().Before(until); i++ {
		select {
		case <-stop:
			until = time.Now()
			continue
		case places <- struct{}{}:
		}
		time.Sleep(pace.Reserve().Delay())
		body := bodies[i%len(bodies)]
		all.Go(func() {
			began := time.Now()
			answer := t.post(body, principals)
			took := time.Since(began)
			<-places
			kib := residentKiB(t.pid)
			mu.Lock()
			defer mu.Unlock()
			a.took, a.resident = append(a.took, took), max(a.resident, kib)
			a.byStatus[answer.status]++
			if took > worst {
				worst, a.slowest = took, fmt.Sprintf("%s: %.200s", took.Round(time.Millisecond), body)
			}
		})
	}
	all.Wait()
	slices.Sort(a.took)
	return a
}
