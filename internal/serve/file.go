package serve

import (
	"io/fs"
	"os"
	"sync"
	"time"
)

// glance is how often a watched file is looked at, at most.
const glance = time.Second

// watched is what was read from files, and is read again once one of them has
// changed. A version that cannot be read is told once, and the last good one
// stays: half a file must not lock everybody out.
type watched[T any] struct {
	paths []string
	load  func() (T, error)
	bad   func(error)

	mu     sync.Mutex
	value  T
	seen   []fs.FileInfo
	looked time.Time
}

// watch reads the files for the first time, when an error is final.
func watch[T any](load func() (T, error), bad func(error), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: paths, load: load, bad: bad, looked: time.Now()}
	w.seen = w.look()
	var err error
	w.value, err = load()
	return w, err
}

// get is the value as of the last second.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.looked) >= glance {
		w.looked = now
		w.reload()
	}
	return w.value
}

func (w *watched[T]) reload() {
	seen := w.look()
	same := true
	for i := range seen {
		same = same && alike(seen[i], w.seen[i])
	}
	if same {
		return
	}
	w.seen = seen
	v, err := w.load()
	if err != nil {
		w.bad(err)
		return
	}
	w.value = v
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
