// Package demo is Cekura's API in a box: sample calls, generated on the spot,
// behind the contract of /observability/v1/call-logs/. It serves people who
// want to see the product before they have a key, and tests that need an
// upstream.
//
// The calls are made up. They are spread over the last 30 days and end minutes
// before now; equal Seed and equal Now give equal bytes. Numbers are such as
// are kept for fiction, cards are the test numbers of payment networks, and
// mail goes to example.com and its like.
//
// Two incidents are planted among them, for a person to find:
//
//   - A bad release. From the day nine days before now, Support EN (agent
//     2142) runs metadata.release r42, which stops hearing callers: nearly
//     half of its calls end silence-timed-out, with the agent asking "are you
//     still there" of somebody who has just spoken.
//   - A tool that fails. From the day three days before now, about half of all
//     calls of the tool lookup_order answer "timeout after 8 s". Tool Success
//     fails, and most of these callers hang up angry or are passed on.
//
// What calls say is in the scripts folder, as text.
package demo

import (
	"sync"
	"sync/atomic"
	"time"
)

// Project is the one project that the API knows.
const Project = 1376

// Options shape an API. The zero Options give 600 calls over 30 days up to
// now, to anybody with a key.
type Options struct {
	Calls       int              // 0 is 600, negative none
	Days        int              // the calls' span; 0 is 30
	Seed        uint64           // which of the possible samples
	Now         func() time.Time // nil is time.Now
	Key         string           // the only key that is let in; "" for any
	MaxPageSize int              // what page_size is cut to; 0 is 500
}

// An API answers requests as Cekura does. It makes its calls when it is first
// asked, as of that moment, so that New costs nothing. It is safe for
// concurrent use.
type API struct {
	opt      Options
	once     sync.Once
	requests atomic.Int64

	mu  sync.RWMutex
	all []*record // newest first; replaced, never changed
}

// New returns an API over generated calls.
func New(opt Options) *API {
	if opt.Calls == 0 {
		opt.Calls = 600
	}
	opt.Calls = max(0, opt.Calls)
	if opt.Days <= 0 {
		opt.Days = 30
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.MaxPageSize <= 0 {
		opt.MaxPageSize = 500
	}
	return &API{opt: opt}
}

// load generates the calls, once. The scripts are part of the program, and a
// test reads them all, so a fault in them is the programmer's.
func (a *API) load() {
	a.once.Do(func() {
		lib, err := newLibrary()
		if err != nil {
			panic(err)
		}
		a.all = generate(a.opt, lib, a.opt.Now())
	})
}

// Requests is how many requests have come in, refused ones included.
func (a *API) Requests() int { return int(a.requests.Load()) }
