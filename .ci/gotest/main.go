// Command gotest runs go test with its arguments and closes with a line that
// counts: "412 passed, 0 failed, 3 skipped", subtests included. A package that
// does not build, panics or times out counts as failed. It prints what failed
// in full and one line for each package, and exits 1 unless tests ran and all
// of them passed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
	t := tally{output: map[test][]string{}, broken: map[string]bool{}}
	t.read(events, os.Stdout)
	failure := cmd.Wait()
	if failure != nil && t.failed == 0 {
		fmt.Println("gotest: go test:", failure)
		t.failed++ // nothing that was reported explains it
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if t.failed > 0 || t.passed == 0 {
		os.Exit(1)
	}
}

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// test names a test, or with no name its package.
type test struct{ pkg, name string }

type tally struct {
	passed, failed, skipped int
	output                  map[test][]string // of what is still running
	broken                  map[string]bool   // packages with a failed test
}

// read counts events until they end, and says on w what a person should see.
func (t *tally) read(events io.Reader, w io.Writer) {
	r := bufio.NewReader(events)
	for {
		line, err := r.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil:
			_, _ = w.Write(line)
		default:
			t.count(e, w)
		}
		if err != nil {
			return
		}
	}
}

func (t *tally) count(e event, w io.Writer) {
	id := test{e.Package, e.Test}
	switch e.Action {
	case "output":
		t.output[id] = append(t.output[id], e.Output)
		return
	case "build-output":
		fmt.Fprint(w, e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	lines := t.output[id]
	delete(t.output, id)
	switch {
	case e.Test == "" && e.Action == "fail":
		if !t.broken[e.Package] {
			t.failed++
		}
		say(w, lines)
	case e.Test == "" && len(lines) > 0:
		say(w, lines[len(lines)-1:]) // ok, or: no test files
	case e.Action == "pass":
		t.passed++
	case e.Action == "skip":
		t.skipped++
		say(w, lines)
	case e.Action == "fail":
		t.failed++
		t.broken[e.Package] = true
		say(w, lines)
	}
}

func say(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprint(w, line)
	}
}
