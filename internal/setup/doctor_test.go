package setup

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

// fake is a source that fails as told, and else answers as the one within.
type fake struct {
	call.Source
	find, get error
	skew      time.Duration // of its clock
	slow      time.Duration
	deaf      bool // does not mind its context
}

func (f fake) Find(ctx context.Context, q call.Query) (call.Page, error) {
	if f.deaf {
		time.Sleep(time.Hour)
		return call.Page{}, errors.New("too late")
	}
	select {
	case <-time.After(f.slow):
	case <-ctx.Done():
		return call.Page{}, call.Stopped(ctx.Err())
	}
	if f.find != nil {
		return call.Page{}, f.find
	}
	p, err := f.Source.Find(ctx, q)
	p.Clock = time.Now().Add(f.skew).Truncate(time.Second)
	return p, err
}

func (f fake) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if f.get != nil {
		return nil, f.get
	}
	return f.Source.Get(ctx, id)
}

// logs are a source with one call an hour ago.
func logs(name string) call.Source {
	l := &call.Log{ID: call.ID{Source: name, Key: "17"}, StartedAt: time.Now().Add(-time.Hour), Turns: make([]call.Turn, 3)}
	return calltest.Memory(name, []*call.Log{l})
}

func examined(checks ...Check) (report string, ok bool) {
	var out bytes.Buffer
	ok = Doctor(context.Background(), &out, checks, time.Now)
	return out.String(), ok
}

func TestAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, ok := examined(
			Check{Name: "cekura", Source: fake{Source: logs("cekura"), slow: 300 * time.Millisecond}, Key: "CEKURA_API_KEY"},
			Check{Name: "file", Source: logs("file")},
		)
		assert.True(t, ok)
		assert.Equal(t, `cekura  ok    reachable     answered in 0.3 s
        ok    key           accepted
        ok    clock         the same
        ok    call          cekura/17 of 1999-12-31 23:00 UTC, 3 turns
file    ok    reachable     answered in 0.0 s
        ok    key           accepted
        -     clock         not told
        ok    call          file/17 of 1999-12-31 23:00 UTC, 3 turns

All is well: 2 of 2 sources can be read.
`, report)
	})
}

func TestOneWrongKeyHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &call.Error{
			Kind: call.Unauthorized, Msg: "zudu refused the key in ZUDU_API_KEY (401).", Hint: "Ask the person who runs this server.",
			Err: errors.New("hunter2"),
		}
		report, ok := examined(
			Check{Name: "zudu", Source: fake{find: refused}, Key: "ZUDU_API_KEY"},
			Check{Name: "cekura", Source: logs("cekura")},
		)
		assert.False(t, ok)
		assert.Equal(t, `zudu    ok    reachable
        FAIL  key           zudu refused the key in ZUDU_API_KEY (401).
                            -> Set ZUDU_API_KEY to a key that is valid: compare it with the provider's dashboard, or make a new one there.
        -     clock         not checked
        -     call          not checked
cekura  ok    reachable     answered in 0.0 s
        ok    key           accepted
        -     clock         not told
        ok    call          cekura/17 of 1999-12-31 23:00 UTC, 3 turns

1 of 2 sources cannot be read.
`, report)
	})
}

func TestEveryFailureHasAWayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := map[call.Kind]string{
			call.Invalid: "call", call.Unauthorized: "key", call.Forbidden: "key", call.NotFound: "call", call.RateLimited: "call",
			call.Unavailable: "reachable", call.Timeout: "reachable", call.TooLarge: "call", call.Canceled: "reachable",
		}
		for kind, about := range kinds {
			for _, f := range []fake{
				{find: &call.Error{Kind: kind, Msg: "It\x1b[2J failed.\n", Err: errors.New("hunter2")}},
				{Source: logs("x"), get: &call.Error{Kind: kind, Msg: "It\x1b[2J failed.\n", Err: errors.New("hunter2")}},
			} {
				report, ok := examined(Check{Name: "x", Source: f})
				assert.False(t, ok)
				assert.Contains(t, report, "FAIL", kind)
				if f.find != nil {
					assert.Contains(t, report, "FAIL  "+about)
				} else {
					assert.Contains(t, report, "FAIL  call          x/17 is listed and cannot be read: It [2J failed.")
				}
				assert.Equal(t, 1, strings.Count(report, "-> "), report)
				assert.NotContains(t, report, "hunter2")
				assert.NotContains(t, report, "\x1b")
			}
		}
		report, ok := examined(Check{Name: "x", Source: fake{find: errors.New("hunter2")}})
		assert.False(t, ok)
		assert.Contains(t, report, "It failed as no source should (*errors.errorString).")
		assert.NotContains(t, report, "hunter2")
	})
}

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for skew, want := range map[time.Duration]string{
			0:                 "ok    clock         the same",
			30 * time.Second:  "ok    clock         ours is 30 s behind",
			-30 * time.Second: "ok    clock         ours is 29 s ahead",
			5 * time.Minute:   "warn  clock         this machine's is 5m0s behind",
			-5 * time.Minute:  "warn  clock         this machine's is 4m59s ahead",
		} {
			report, ok := examined(Check{Name: "x", Source: fake{Source: logs("x"), skew: skew}})
			assert.True(t, ok)
			assert.Contains(t, report, want)
			assert.Equal(t, strings.Contains(want, "warn"), strings.Contains(report, "-> Set it, best by NTP"))
		}
	})
}

func TestNoCallsAreNoFailure(t *testing.T) {
	report, ok := examined(Check{Name: "x", Source: calltest.Memory("x", nil)})
	assert.True(t, ok)
	assert.Contains(t, report, "warn  call          none is listed")
	report, ok = examined()
	assert.False(t, ok)
	assert.Equal(t, "There is no source to check.\n", report)
}

func TestAHangingSourceHoldsNoOtherAndNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report, ok := examined(
			Check{Name: "slow", Source: fake{slow: time.Hour}},
			Check{Name: "deaf", Source: fake{deaf: true}},
			Check{Name: "quick", Source: logs("quick")},
		)
		assert.False(t, ok)
		require.LessOrEqual(t, time.Since(start), 22*time.Second)
		assert.Contains(t, report, "slow   FAIL  reachable     There was no answer in the time there was.")
		assert.Contains(t, report, "deaf   FAIL  reachable     There was no answer within 20s.")
		assert.Contains(t, report, "quick  ok    reachable")
		assert.Contains(t, report, "2 of 3 sources cannot be read.")
		time.Sleep(2 * time.Hour) // until it has come back
	})
}

func TestCanceledByTheOperator(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	assert.False(t, Doctor(ctx, &out, []Check{{Name: "x", Source: fake{slow: time.Hour}}}, time.Now))
	assert.Contains(t, out.String(), "FAIL  reachable     The question was canceled.")
}
