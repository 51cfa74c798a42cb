package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

// killed names the database that this process writes until it is killed.
const killed = "CALL_LOGS_TEST_KILLED"

func TestMain(m *testing.M) {
	if path := os.Getenv(killed); path != "" {
		if steps, err := strconv.Atoi(os.Getenv(killedErasing)); err == nil {
			eraseOn(path, steps)
		}
		writeOn(path)
	}
	os.Exit(m.Run())
}

// killedErasing is after how many steps of erasing the process waits to be killed.
const killedErasing = "CALL_LOGS_TEST_KILLED_ERASING"

// eraseOn takes each twentieth call away, and erases them so far. Of a tenth FTS5
// would merge the segment by itself.
func eraseOn(path string, steps int) {
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: path})
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			removed := 0
			err := c.transact(func() error { return s.purge(c, `CAST(call_id AS INTEGER) % 20 = 1`, nil, &removed) })
			for step := 0; err == nil && step < steps; step++ {
				_, err = c.mergeWords(step == 0, 2)
			}
			fmt.Println(removed)
			return err
		})
	}
	fmt.Println("waits", err)
	select {}
}

// A process that is killed while it erases leaves that to the next.
func TestKillWhileErasing(t *testing.T) {
	ctx := context.Background()
	for _, steps := range []int{0, 1, 3} {
		path := filepath.Join(t.TempDir(), "copy", "calls.db")
		s, err := Open(ctx, Options{Path: path})
		require.NoError(t, err)
		var logs []*call.Log
		var gone []string
		for i := range 400 {
			r := rand.New(rand.NewPCG(uint64(i), 3))
			l := &call.Log{ID: call.ID{Source: "s", Key: fmt.Sprint("k", i)}, CallID: fmt.Sprint(i), StartedAt: time.Unix(1_790_000_000+int64(i), 0).UTC()}
			for range 40 {
				word := fmt.Sprintf("%08dx%08d", r.IntN(1e8), r.IntN(1e8))
				l.Turns = append(l.Turns, call.Turn{Index: len(l.Turns) + 1, Role: call.RoleCaller, Text: word})
				if i%20 == 1 {
					gone = append(gone, word[8:])
				}
			}
			logs = append(logs, l)
		}
		_, err = s.Commit(ctx, Change{Source: "s", Put: logs, ReadAt: time.Unix(1_790_001_000, 0)})
		require.NoError(t, err)
		require.NoError(t, s.Close())

		eraseAndKill(t, path, steps)
		assert.NotZero(t, occur(t, path, gone), "nothing was left to erase")
		s, err = Open(ctx, Options{Path: path})
		require.NoError(t, err)
		n, err := s.Purge(ctx, Selection{Before: time.Unix(0, 0)})
		require.NoError(t, err)
		assert.Zero(t, n)
		assert.Zero(t, occur(t, path, gone))
		whole(t, s, 0)
		require.NoError(t, s.Close())
	}
}

func eraseAndKill(t *testing.T, path string, steps int) {
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), killed+"="+path, fmt.Sprint(killedErasing, "=", steps))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	assert.Equal(t, "20", lines.Text(), "calls taken away")
	require.True(t, lines.Scan())
	assert.Equal(t, "waits <nil>", lines.Text())
	require.NoError(t, cmd.Process.Kill())
	cmd.Wait() // killed
}

// occur is how many of words, each an x and eight digits, the files beside path hold.
func occur(t *testing.T, path string, words []string) (n int) {
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	held := map[string]bool{}
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		for i := range b {
			if b[i] == 'x' && i+9 <= len(b) {
				held[string(b[i:i+9])] = true
			}
		}
	}
	for _, word := range words {
		if held[word] {
			n++
		}
	}
	return n
}

// writeOn commits changes of every kind and says each that was acknowledged.
func writeOn(path string) {
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: path})
	if err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
	state, err := s.State(ctx, "s")
	round := 0
	for err == nil {
		fmt.Sscan(string(state), &round)
		round++
		at := time.Unix(1_790_000_000+int64(round)*60, 0).UTC()
		logs := calltest.Logs("s", 20, uint64(round), at)
		for i, l := range logs {
			l.ID.Key = fmt.Sprintf("%d-%d", round, i)
			if i < 5 && round > 1 {
				l.ID.Key = fmt.Sprintf("%d-%d", round-1, 10+i) // changes of the round before
			}
		}
		state = fmt.Append(nil, round)
		_, err = s.Commit(ctx, Change{
			Source: "s", ReadAt: at, Put: logs, Gone: []string{fmt.Sprintf("%d-%d", round-1, 19)},
			Leaf: &Leaf{From: at, To: at.Add(59 * time.Second), ReadAt: at, Calls: 20}, State: state,
		})
		if err == nil && round%7 == 0 {
			_, err = s.Purge(ctx, Selection{IDs: []call.ID{{Source: "s", Key: fmt.Sprintf("%d-6", round-3)}}})
		}
		fmt.Println(round)
	}
	fmt.Println("FAIL", err)
	os.Exit(1)
}

// A process that is killed at any moment loses nothing that it was told is
// written, and leaves a database that is whole.
func TestKill(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 5
	}
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	for range rounds {
		said := writeAndKill(t, path)
		s, err := Open(context.Background(), Options{Path: path})
		require.NoError(t, err)
		whole(t, s, said)
		require.NoError(t, s.Close())
	}
}

func writeAndKill(t *testing.T, path string) (said int) {
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), killed+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	time.AfterFunc(time.Duration(60+rand.IntN(350))*time.Millisecond, func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		require.False(t, strings.HasPrefix(lines.Text(), "FAIL"), lines.Text())
		fmt.Sscan(lines.Text(), &said)
	}
	cmd.Wait() // killed
	return said
}

// whole checks the database and that round said was not lost.
func whole(t *testing.T, s *Store, said int) {
	ctx := context.Background()
	state, err := s.State(ctx, "s")
	require.NoError(t, err)
	round := 0
	fmt.Sscan(string(state), &round)
	require.GreaterOrEqual(t, round, said, "an acknowledged commit is lost")
	require.NoError(t, s.write(ctx, func(c *conn) error {
		var ok string
		if _, err := c.first(`PRAGMA integrity_check`, nil, func(stmt *sqlite3.Stmt) { ok = stmt.ColumnText(0) }); err != nil {
			return err
		}
		assert.Equal(t, "ok", ok)
		if err := c.do(`INSERT INTO words(words) VALUES('integrity-check')`); err != nil {
			return err
		}
		counts := map[string]int64{}
		for _, query := range []string{
			`SELECT count(*) FROM calls`, `SELECT count(*) FROM records`, `SELECT count(*) FROM words_docsize`,
			`SELECT sum(calls) FROM sources`, `SELECT count(*) FROM calls c JOIN records r ON r.id = c.id`,
		} {
			n, err := c.int(query)
			if err != nil {
				return err
			}
			counts[query] = n
			assert.Equal(t, counts[`SELECT count(*) FROM calls`], n, query)
		}
		leaves, err := c.int(`SELECT count(*) FROM leaves`)
		assert.LessOrEqual(t, leaves, int64(round))
		return err
	}))
}

func TestNewerSchemaIsRefused(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	s, err := Open(ctx, Options{Path: path})
	require.NoError(t, err)
	require.NoError(t, s.write(ctx, func(c *conn) error {
		size, err := c.int(`PRAGMA page_size`)
		assert.Equal(t, int64(pageSize), size)
		if err != nil {
			return err
		}
		return c.Exec(`PRAGMA user_version = 999`)
	}))
	require.NoError(t, s.Close())
	_, err = Open(ctx, Options{Path: path})
	assert.ErrorContains(t, err, fmt.Sprintf("written by a newer version of this program (schema 999, this one knows %d)", len(migrations)))
}
