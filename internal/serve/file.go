package serve

import (
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// glance is how often a watched file is looked at, at most.
const glance = time.Second

// watched is what was read from files, and is read again once one of them has
// changed. Where that fails the last good version stays for as long as lasts
// says, since half a file must not lock everybody out, and each glance tries
// again; after that the value is zero until the files can be read.
type watched[T any] struct {
	paths []string
	load  func() (T, error)
	lasts func(error) time.Duration // nil: for good
	bad   func(err error, kept bool)
	now   func() time.Time

	mu     sync.Mutex
	value  T
	seen   []fs.FileInfo
	looked time.Time
	since  time.Time // when reading began to fail; zero while it does not
	gone   bool      // the last good version has lasted
}

// watch reads the files for the first time, when an error is final. From then
// on bad is told once of each version that cannot be read, and once when the
// last good one is kept no more.
func watch[T any](load func() (T, error), lasts func(error) time.Duration, bad func(err error, kept bool), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: paths, load: load, lasts: lasts, bad: bad, now: time.Now, looked: time.Now()}
	w.seen = w.look()
	var err error
	w.value, err = load()
	return w, err
}

// get is the value as of the last second.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); now.Sub(w.looked) >= glance {
		w.looked = now
		w.reload(now)
	}
	return w.value
}

func (w *watched[T]) reload(now time.Time) {
	seen := w.look()
	same := slices.EqualFunc(seen, w.seen, alike)
	if same && w.since.IsZero() {
		return
	}
	w.seen = seen
	v, err := w.load()
	if err == nil {
		w.value, w.since, w.gone = v, time.Time{}, false
		return
	}
	if w.since.IsZero() {
		w.since = now
	}
	lapsed := w.lasts != nil && now.Sub(w.since) >= w.lasts(err)
	if lapsed && !w.gone {
		w.value, w.gone, same = *new(T), true, false
	}
	if !same {
		w.bad(err, !w.gone)
	}
}

func (w *watched[T]) look() []fs.FileInfo {
	seen := make([]fs.FileInfo, len(w.paths))
	for i, path := range w.paths {
		seen[i], _ = os.Stat(path) // nil where there is none
	}
	return seen
}

func alike(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
