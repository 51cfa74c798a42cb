package calltest

import (
	"math/rand/v2"
	"time"

	"call-logs-mcp/internal/call"
)

// checkArrivals changes the source between the pages of a walk: calls arrive
// before and behind the position, others vanish. What stood all along has to be
// met exactly once, and nothing twice.
func checkArrivals(t tb, u *universe) {
	if u.o.Mutable == nil || len(u.logs) < 10 {
		return
	}
	for _, o := range orders[:2] {
		logs, _ := u.all(t, call.Query{Limit: 100})
		m := mutation{hand: u.o.Mutable, random: rand.New(rand.NewPCG(1, uint64(len(logs)))), gone: map[call.ID]bool{}}
		q := call.Query{Order: o, Limit: 5}
		met := map[call.ID]int{}
		for range 2*len(logs) + 100 {
			p := u.page(t, q)
			for _, l := range p.Logs {
				met[l.ID]++
			}
			if p.Next == nil {
				break
			}
			q.After = p.Next
			m.change(logs)
		}
		for _, l := range logs {
			if met[l.ID] != 1 && !m.gone[l.ID] {
				t.Errorf("%s, while calls came and went: %s stood all along and was met %d times", o, l.ID, met[l.ID])
			}
		}
		for id, n := range met {
			if n > 1 {
				t.Errorf("%s, while calls came and went: %s was met %d times", o, id, n)
			}
		}
	}
}

type mutation struct {
	hand   Mutable
	random *rand.Rand
	gone   map[call.ID]bool
}

// change inserts a call beside one of logs and takes another away, until a
// third of them is gone.
func (m *mutation) change(logs []*call.Log) {
	like := logs[m.random.IntN(len(logs))]
	if !like.StartedAt.IsZero() && !m.gone[like.ID] {
		m.hand.Insert(like.ID, like.StartedAt.Add(time.Duration(m.random.IntN(2))*time.Millisecond))
	}
	away := logs[m.random.IntN(len(logs))].ID
	if !m.gone[away] && len(m.gone) < len(logs)/3 {
		m.gone[away] = true
		m.hand.Delete(away)
	}
}
