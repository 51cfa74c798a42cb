package tools

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

type searchArgs struct {
	Query string `json:"query,omitempty" jsonschema_description:"Required but with cursor or similar_to: words (by relevance some suffice, in any inflection; by newest all must occur as written), \"a phrase\" (within one turn), prefix*, -not, OR."`
	Role  string `json:"role,omitempty" jsonschema:"enum=agent,enum=caller,enum=tool,enum=system" jsonschema_description:"Whose words; default everybody's."`
	selection
	SimilarTo    string `json:"similar_to,omitempty" jsonschema_description:"A call id: calls like it, by what was said."`
	OrderBy      string `json:"order_by,omitempty" jsonschema:"enum=relevance,enum=newest"`
	ContextTurns *int   `json:"context_turns,omitempty" jsonschema:"minimum=0,maximum=5,default=1" jsonschema_description:"Turns around each call's best passage."`
	PageSize     int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=10"`
	Cursor       string `json:"cursor,omitempty" jsonschema_description:"From the previous answer; alone it is enough."`
	format
}

func (in searchArgs) paging() paging { return paging{PageSize: in.PageSize, Cursor: in.Cursor} }

// passagesPerCall is how many of a call's matching turns are shown; the rest is
// counted, and read_transcript shows it.
const passagesPerCall = 3

// snippetLength bounds a passage, in characters.
const snippetLength = 240

// lineTokens bounds what is shown of a turn.
const lineTokens = 120

func searchTranscripts(d Deps) server.ServerTool {
	return define[searchArgs, searchData](spec{
		name:  "search_transcripts",
		title: "Search transcripts",
		description: "Who said that? Calls whose transcript holds the query, each with its best passages: turn, time, role and words, the match marked «so». " +
			"Case and punctuation do not count. The answer says how many calls were searched.",
	}, d, func(ctx context.Context, d Deps, in searchArgs) (answer, error) {
		q, err := d.question(ctx, "search_transcripts", in.selection, in.paging())
		if err != nil {
			return nil, err
		}
		if in.Cursor == "" {
			err = in.ask(d, &q)
		} else {
			err = in.same(d, q)
		}
		if err != nil {
			return nil, err
		}
		p, err := d.Calls.Find(ctx, q.query)
		if err != nil {
			return nil, err
		}
		fence, err := render.NewFence(rand.Reader)
		if err != nil {
			return nil, err
		}
		turns := 1
		if in.ContextTurns != nil {
			turns = *in.ContextTurns
		}
		a := searched{listed: listed{d: d, q: q, page: p, fence: fence}, context: turns}
		if len(p.Logs) == 0 && !q.paging && p.Coverage.Complete {
			a.why = d.whyUnsaid(ctx, q, p)
		}
		return a, nil
	})
}

// ask makes the query of the arguments that are not the selection.
func (in searchArgs) ask(d Deps, q *question) (err error) {
	ranks := call.Ranks(d.Calls)
	switch {
	case in.Query != "":
		if q.query.Text, err = call.ParseText(in.Query); err != nil {
			return &call.Error{Kind: call.Invalid, Msg: "query: " + err.Error() + "."}
		}
	case in.SimilarTo == "":
		return &call.Error{Kind: call.Invalid, Msg: "search_transcripts needs query.", Hint: `For example query="charged twice", or query="\"charged twice\"" for the phrase.`}
	}
	if !ranks && (in.SimilarTo != "" || in.OrderBy == "relevance") {
		return &call.Error{Kind: call.Invalid, Msg: "These calls cannot be ranked.", Hint: "Ask with query and order_by=newest."}
	}
	if in.SimilarTo != "" {
		id, err := call.ParseID(in.SimilarTo, d.Sources)
		if err != nil {
			return err
		}
		q.query.Similar, q.query.Order = &id, call.Relevance
	}
	if ranks && in.OrderBy != "newest" {
		q.query.Order = call.Relevance
	}
	q.query.Role, q.query.Exhaust = call.Role(in.Role), true
	q.query.Limit = cmp.Or(in.PageSize, 10)
	return nil
}

// searched is a page of calls with their matching passages.
type searched struct {
	listed
	context int
}

func (a searched) text(budget int) string {
	if len(a.page.Logs) == 0 {
		return a.nothing(budget)
	}
	for _, passages := range []int{passagesPerCall, 1, 0} {
		if s, ok := a.fitted(budget, passages); ok {
			return s
		}
	}
	return fmt.Sprintf("%s; none fits into %d tokens, raise max_tokens", a.counted(0), budget)
}

// fitted writes as many calls as there is room for, each with so many passages
// (fewer than three make do without context); ok is false if that is none.
func (a searched) fitted(budget, passages int) (string, bool) {
	if passages < passagesPerCall {
		a.context = 0
	}
	var blocks []string
	for i := range a.page.Logs {
		blocks = append(blocks, a.block(i, passages))
	}
	for shown := len(blocks); shown > 0; shown-- {
		above, below := strings.Join(a.head(shown, passages == passagesPerCall), "\n"), a.below(shown, passages == passagesPerCall)
		s := above + "\n" + a.fence.Wrap(strings.Join(blocks[:shown], "\n")) + "\n" + below
		over := render.Tokens(s) - budget
		if over <= 0 {
			return strings.TrimSuffix(s, "\n"), true
		}
		for shown > 1 && over > render.Tokens(blocks[shown-1]) { // skip what cannot fit
			over -= render.Tokens(blocks[shown-1])
			shown--
		}
	}
	return "", false
}

// head is the lines above the fence.
func (a searched) head(shown int, whole bool) []string {
	limit := 400
	if !whole {
		limit = 60
	}
	lines := []string{
		fmt.Sprintf("%s %s, %s · %s", a.counted(shown), render.Clip(a.sought(), limit), orderWords(a.q.query.Order), a.q.scope(limit)),
		a.searchedWords(),
	}
	for _, n := range a.page.Notes {
		lines = append(lines, render.Clean(n))
	}
	return append(lines, a.fence.Note())
}

func (a searched) sought() string {
	var parts []string
	if like := a.q.query.Similar; like != nil {
		parts = append(parts, "like "+like.String())
	}
	if a.q.query.Text != nil {
		parts = append(parts, "for "+render.Clip(render.Clean(a.q.query.Text.String()), 200))
		if all, _ := a.q.query.Text.Terms(); a.q.query.Order == call.Relevance && len(all) > 1 && slices.ContainsFunc(all, loose) {
			parts = append(parts, "(words may be missing)")
		}
	}
	if r := a.q.query.Role; r != "" {
		parts = append(parts, "said by "+string(r))
	}
	return strings.Join(parts, " ")
}

// searchedWords says what was looked at, and first what was not.
func (a searched) searchedWords() string {
	c := a.page.Coverage
	put, among := "searched", "calls"
	if a.q.filters() != nil {
		put = "filters and words put to"
	}
	if a.q.paging {
		among += " from here on"
	}
	if c.Complete {
		ranked := ""
		if a.page.Ranked > 0 {
			ranked = fmt.Sprintf(", ranked the newest %s matches", thousands(a.page.Ranked))
		}
		return fmt.Sprintf("%s all %s %s%s · window %s%s", put, thousands(c.Searched), among, ranked, a.q.windowWords(a.page), a.q.asOf(a.page))
	}
	if a.q.isWholeUntil(a.page) {
		return fmt.Sprintf("%s the %s %s until %s · window %s%s", put, thousands(c.Searched), among, a.q.clockWords(c.Until), a.q.windowWords(a.page), a.q.asOf(a.page))
	}
	of := ""
	if c.Calls != nil && *c.Calls > c.Searched {
		of = " of " + thousands(*c.Calls)
	}
	back := ""
	if !c.Back.IsZero() {
		back = fmt.Sprintf(" (%s, as far as %s)", readWords(a.q.query.Order), minute(c.Back, 0))
	}
	return fmt.Sprintf("%s only %s%s %s%s · window %s%s%s", put, thousands(c.Searched), of, among, back, a.q.windowWords(a.page), a.q.wayOut(a.page), a.q.asOf(a.page))
}

// block is one call with at most so many passages.
func (a searched) block(i, passages int) string {
	l, hit := a.page.Logs[i], a.page.Hits[i]
	parts := []string{render.Value(l.ID.String(), 200)}
	if !l.StartedAt.IsZero() {
		layout := "01-02 15:04"
		if !a.oneYear() {
			layout = "2006-01-02 15:04"
		}
		parts = append(parts, l.StartedAt.UTC().Format(layout))
	}
	if l.Duration != nil {
		parts = append(parts, render.Length(*l.Duration))
	}
	judged := render.Outcome(l)
	if l.EndedReason != "" && judged != "ok" {
		judged += ", " + render.Item(l.EndedReason, 60)
	}
	matches := fmt.Sprintf("%d turns match", len(hit.Turns))
	if len(hit.Turns) == 1 {
		matches = "1 turn matches"
	}
	for _, s := range []string{render.Value(agentOf(l), 60), judged, render.Value(l.Topic, 60), matches} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	lines := []string{unmarked.Replace(strings.Join(parts, " · "))}
	for _, n := range a.shownTurns(l, hit, passages) {
		lines = append(lines, "  "+marked(&l.Turns[n-1], hit))
	}
	return strings.Join(lines, "\n")
}

// best are the hits worth showing: those that hold most of what was found, of
// which the words that were asked for count double.
func (a searched) best(l *call.Log, hit call.Hit) []int {
	worth := make(map[int]int, len(hit.Turns))
	for _, n := range hit.Turns {
		for _, text := range []*call.Text{hit.Text, a.q.query.Text} {
			if text != nil {
				worth[n] += text.Worth(&l.Turns[n-1])
			}
		}
	}
	turns := slices.Clone(hit.Turns)
	slices.SortStableFunc(turns, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	return turns[:min(len(turns), passagesPerCall)]
}

// shownTurns are the best passages with the context of the first among them.
func (a searched) shownTurns(l *call.Log, hit call.Hit, passages int) []int {
	turns := a.best(l, hit)
	turns = turns[:min(len(turns), passages)]
	if len(turns) == 0 {
		return nil
	}
	for n := turns[0] - a.context; n <= turns[0]+a.context; n++ {
		if n >= 1 && n <= len(l.Turns) {
			turns = append(turns, n)
		}
	}
	slices.Sort(turns)
	return slices.Compact(turns)
}

// marked is one turn on one line, with what matches of it marked «so».
func marked(t *call.Turn, hit call.Hit) string {
	shown := *t
	if t.Tool == nil {
		shown.Text = snippet(render.Clean(t.Text), hit.Text)
	}
	if !slices.Contains(hit.Turns, t.Index) { // the words of another role are context
		return unmarked.Replace(render.Line(&shown, lineTokens))
	}
	return render.Head(&shown) + " " + mark(render.WordsAbout(&shown, lineTokens, hit.Text), hit.Text)
}

// snippet is the part of s around what is sought first, of snippetLength at most.
func snippet(s string, text *call.Text) string {
	r := []rune(s)
	if len(r) <= snippetLength {
		return s
	}
	first := 0
	if text == nil {
		return render.Clip(s, snippetLength)
	}
	if spans := text.Spans(s); len(spans) > 0 {
		first = len([]rune(s[:spans[0][0]]))
	}
	from := max(0, min(first-snippetLength/3, len(r)-snippetLength+2))
	to := min(len(r), from+snippetLength-2)
	out := string(r[from:to])
	if from > 0 {
		out = "…" + out
	}
	if to < len(r) {
		out += "…"
	}
	return out
}

// unmarked takes our marks out of what was said.
var unmarked = strings.NewReplacer("«", "‹", "»", "›")

func mark(s string, text *call.Text) string {
	if text == nil {
		return unmarked.Replace(s)
	}
	var b strings.Builder
	at := 0
	for _, span := range text.Spans(s) {
		b.WriteString(unmarked.Replace(s[at:span[0]]) + "«" + unmarked.Replace(s[span[0]:span[1]]) + "»")
		at = span[1]
	}
	return b.String() + unmarked.Replace(s[at:])
}

// below says how to go on; where room is short, by the cursor alone.
func (a searched) below(shown int, whole bool) string {
	more := a.more(shown)
	if !whole && more != "" {
		return more
	}
	l := a.page.Logs[0]
	around := 1
	if best := a.best(l, a.page.Hits[0]); len(best) > 0 {
		around = best[0]
	}
	on := fmt.Sprintf("read on: read_transcript id=%q around=%d, or resource %s/transcript", l.ID, around, l.ID.URI())
	if more != "" {
		return more + " · " + on
	}
	return on
}

// more is the cursor behind the first shown calls, "" at the end.
func (a searched) more(shown int) string {
	if cursor := a.q.cursor(a.page, a.q.next(a.page, shown)); cursor != "" {
		return "more: cursor " + cursor
	}
	return ""
}

// nothing is the text of an empty page.
func (a searched) nothing(budget int) string {
	w := render.NewWriter(budget, 0)
	w.Line(fmt.Sprintf("No calls found %s: %s", a.sought(), a.q.scope(200)))
	w.Line(a.searchedWords())
	for _, n := range a.page.Notes {
		w.Line(render.Clean(n))
	}
	if cursor := a.q.cursor(a.page, a.page.Next); cursor != "" {
		w.Line("more: cursor " + cursor)
	}
	for _, why := range a.why {
		w.Line(render.Clean(why))
	}
	return w.String()
}
