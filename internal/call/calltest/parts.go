package calltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// checkShape holds each log to what all readers build on.
func checkShape(t tb, u *universe) {
	met := map[call.ID]bool{}
	for _, l := range u.logs {
		switch {
		case met[l.ID]:
			t.Errorf("%s: met twice", l.ID)
		case l.ID.Key == "" || l.ID.Source == "":
			t.Errorf("%q: the id is not whole", l.ID)
		case u.o.Source != "" && l.ID.Source != u.o.Source:
			t.Errorf("%s: is not of %s", l.ID, u.o.Source)
		case !l.EndedAt.IsZero() && l.EndedAt.Before(l.StartedAt):
			t.Errorf("%s: ends before it starts", l.ID)
		case l.Duration != nil && *l.Duration < 0:
			t.Errorf("%s: lasts %s", l.ID, *l.Duration)
		}
		met[l.ID] = true
		for i, turn := range l.Turns {
			if turn.Index != i+1 {
				t.Errorf("%s: turn %d has the number %d", l.ID, i+1, turn.Index)
			}
		}
	}
}

func checkOrders(t tb, u *universe) {
	for _, o := range orders {
		logs, _ := u.all(t, call.Query{Order: o, Limit: 100})
		same(t, "everything, "+string(o), u.ordered(o), logs)
	}
}

func checkLimits(t tb, u *universe) {
	for _, limit := range []int{0, 1, 7, 50} {
		p := u.page(t, call.Query{Limit: limit})
		if p.Next == nil && len(p.Logs) < len(u.logs) {
			t.Errorf("limit %d: no Next behind %d of %d logs", limit, len(p.Logs), len(u.logs))
		}
		if p.Total != nil && *p.Total != len(u.logs) {
			t.Errorf("limit %d: total %d of %d logs", limit, *p.Total, len(u.logs))
		}
	}
}

// checkWalks follows Next in small steps: all the way where that is short, and
// else from the start and to the end.
func checkWalks(t tb, u *universe) {
	const pages = 50
	for _, o := range orders {
		want := u.ordered(o)
		for _, size := range []int{1, 3, 20} {
			u.walk(t, o, size, pages, nil, want)
			if rest := len(want) - pages*size/2; rest > 0 {
				u.walk(t, o, size, pages, o.Mark(want[rest-1]), want[rest:])
			}
		}
	}
}

func (u *universe) walk(t tb, o call.Order, size, pages int, from *call.Mark, want []*call.Log) {
	q := call.Query{Order: o, Limit: size, After: from}
	var got []*call.Log
	for range pages {
		p := u.page(t, q)
		got = append(got, p.Logs...)
		if p.Next == nil {
			same(t, fmt.Sprintf("a walk, %s, %d a page", o, size), want, got)
			return
		}
		q.After = p.Next
	}
	same(t, fmt.Sprintf("the first pages, %s, of %d", o, size), want[:min(len(got), len(want))], got)
}

func checkGet(t tb, u *universe) {
	ctx := context.Background()
	callIDs := map[call.ID]int{}
	for _, l := range u.logs {
		callIDs[call.ID{Source: l.ID.Source, Key: l.CallID}]++
		callIDs[l.ID]++
	}
	for i, l := range u.logs {
		if i >= 100 {
			break // the rest is alike
		}
		got, err := u.src.Get(ctx, l.ID)
		if err != nil || got.ID != l.ID {
			t.Errorf("Get(%s): %v, %v", l.ID, got, err)
			continue
		}
		if !got.StartedAt.Equal(l.StartedAt) || got.Topic != l.Topic || len(got.Turns) != len(l.Turns) {
			t.Errorf("Get(%s): is another call than Find found", l.ID)
		}
		by := call.ID{Source: l.ID.Source, Key: l.CallID}
		if l.CallID == "" || callIDs[by] > 1 {
			continue
		}
		if got, err := u.src.Get(ctx, by); err != nil || got.ID != l.ID {
			t.Errorf("Get(%s), by its CallID: %v", by, err)
		}
	}
	for _, key := range []string{"no-such-call", "999999999", "../1", "a/b?c"} {
		source := u.o.Source
		if len(u.logs) > 0 {
			source = u.logs[0].ID.Source
		}
		l, err := u.src.Get(ctx, call.ID{Source: source, Key: key})
		var e *call.Error
		if !errors.As(err, &e) || e.Kind != call.NotFound || l != nil {
			t.Errorf("Get of the unknown key %q: %v, want a call.Error of kind not_found", key, err)
		}
	}
}

func checkCancelled(t tb, u *universe) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	_, err := u.src.Find(ctx, call.Query{Where: filter.Within("timestamp", u.o.Window.From, u.o.Window.To)})
	canceled(t, "Find", err)
	if len(u.logs) > 0 {
		_, err = u.src.Get(ctx, u.logs[0].ID)
		canceled(t, "Get", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a cancelled question took %s", took)
	}
}

func canceled(t tb, what string, err error) {
	var e *call.Error
	if !errors.As(err, &e) || e.Kind != call.Canceled {
		t.Errorf("%s with a cancelled context: %v, want a call.Error of kind canceled", what, err)
	}
}

// checkUnshared writes into what a page may be written into: its own lists.
// The logs themselves are shared and read-only.
func checkUnshared(t tb, u *universe) {
	want := ids(u.page(t, call.Query{}).Logs)
	p := u.page(t, call.Query{})
	for i := range p.Logs {
		p.Logs[i] = nil
	}
	if got := ids(u.page(t, call.Query{}).Logs); !slices.Equal(got, want) {
		t.Errorf("a page that was written into changed the next answer:\n%v, was\n%v", got, want)
	}
}

func checkConcurrent(t tb, u *universe) {
	want := ids(u.page(t, call.Query{Limit: 50}).Logs)
	var wait sync.WaitGroup
	got := make([][]call.ID, 4)
	where := filter.Within("timestamp", u.o.Window.From, u.o.Window.To)
	for i := range got {
		wait.Go(func() {
			if p, err := u.src.Find(context.Background(), call.Query{Where: where, Limit: 50}); err == nil {
				got[i] = ids(p.Logs)
			}
		})
	}
	wait.Wait()
	for _, g := range got {
		if !slices.Equal(g, want) {
			t.Errorf("asked by several at once, one gets\n%v, want\n%v", g, want)
		}
	}
}
