package mirror

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"call-logs-mcp/internal/call"
)

// A job is windows of one source being fetched.
type job struct {
	done chan struct{}
	err  error        // once done
	read atomic.Int64 // calls, so far
}

// A watch says how far the jobs are that one question waits for.
type watch struct {
	tell call.Progress // nil for nobody
	told int           // what it heard last, -1 before

	mu   sync.Mutex
	jobs []watched
}

type watched struct {
	source string
	job    *job
	total  int // calls that it will have read; -1 for unknown
}

func (w *watch) add(source string, j *job, total int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, watched{source, j, total})
}

// tick is how often a question that waits says how far it is.
const tick = 500 * time.Millisecond

// until waits, and says how far it is meanwhile.
func (w *watch) until(wait *sync.WaitGroup) {
	if w.tell == nil {
		wait.Wait()
		return
	}
	done := make(chan struct{})
	go func() {
		wait.Wait()
		close(done)
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			w.say()
		}
	}
}

// say tells if there is news: what it tells only ever grows.
func (w *watch) say() {
	w.mu.Lock()
	jobs := slices.Clone(w.jobs)
	w.mu.Unlock()
	done, total, known := 0, 0, true
	var sources []string
	for _, x := range jobs {
		read := int(x.job.read.Load())
		if known = known && x.total >= 0; x.total >= 0 {
			read = min(read, x.total) // what changed meanwhile was read twice
		}
		done, total = done+read, total+x.total
		sources = append(sources, x.source)
	}
	if !known {
		total = 0
	}
	if len(jobs) == 0 || done <= w.told {
		return
	}
	w.told = done
	slices.Sort(sources)
	w.tell(done, total, "fetching calls of "+strings.Join(sources, ", "))
}
