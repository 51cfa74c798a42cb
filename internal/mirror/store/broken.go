package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// A BrokenError says that the database cannot be used, or not now. Reason and
// Remedy are for everybody, so they name a file without its folder; Error is for
// the operator.
type BrokenError struct {
	Reason  string // what is wrong, as the end of a sentence
	Remedy  string // what to do, a sentence
	Damaged bool   // it will never be right again: SetAside makes room for a new one
	Err     error
}

func (e *BrokenError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// Broken is the BrokenError in err, nil where there is none.
func Broken(err error) *BrokenError {
	if b := (*BrokenError)(nil); errors.As(err, &b) {
		return b
	}
	return nil
}

// broken explains why the database failed.
func broken(err error) *BrokenError {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	b := &BrokenError{Reason: "it could not be read", Remedy: "Run call-logs-mcp doctor, or move it away to have it built anew.", Err: err}
	switch {
	case Broken(err) != nil:
		b = Broken(err)
	case is(sqlite3.CORRUPT, sqlite3.NOTADB):
		b.Reason, b.Remedy, b.Damaged = "its file is damaged", "It is set aside and built anew.", true
	case is(sqlite3.FULL, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		b.Reason, b.Remedy = "the disk is full", "Free some space, or keep the copy elsewhere with --mirror PATH."
	case is(sqlite3.READONLY, syscall.EROFS):
		b.Reason, b.Remedy = "its file cannot be written", "Make the file and its folder writable for the user who runs this, or give --mirror another path."
	case is(sqlite3.CANTOPEN, sqlite3.PERM, fs.ErrPermission):
		b.Reason, b.Remedy = "its file cannot be opened", "Give the file and its folder to the user who runs this (modes 600 and 700), or give --mirror another path."
	case is(syscall.EISDIR):
		b.Reason, b.Remedy = "a folder is in the place of one of its files", "Move that away, or give --mirror another path."
	case is(sqlite3.BUSY, sqlite3.LOCKED):
		b.Reason, b.Remedy = "another process holds it", "Try again in a minute."
	case is(sqlite3.IOERR):
		b.Reason, b.Remedy = "the disk fails to read or write it", "Check the disk, or give --mirror another path."
	}
	return b
}

// magic is what a database begins with.
const magic = "SQLite format 3\x00"

// intact looks at the head of a file, which costs nothing: what is cut off or
// wiped out is found before anything is answered from it.
func intact(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return broken(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	head := make([]byte, 100)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return broken(err)
	}
	damaged := func(what string) error {
		return &BrokenError{
			Reason: "its file is damaged (" + what + ")", Remedy: "It is set aside and built anew.", Damaged: true,
			Err: fmt.Errorf("store: %s is damaged: %s", path, what),
		}
	}
	switch same := alike(head[:min(n, len(magic))]); {
	case same == len(magic) && n == len(head):
	case same < len(magic)/2 && strings.Trim(string(head[:min(n, len(magic))]), "\x00") != "":
		return &BrokenError{
			Reason: filepath.Base(path) + " is no database", Remedy: "Give --mirror another path, or move that file away.",
			Err: fmt.Errorf("store: %s is no database: name another path for the copy, or move it away", path),
		}
	default:
		return damaged("it does not begin as a database does")
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return nil // the rest may be there
	}
	size, pages := int64(binary.BigEndian.Uint16(head[16:])), int64(binary.BigEndian.Uint32(head[28:]))
	if size == 1 {
		size = 1 << 16
	}
	if [4]byte(head[24:28]) == [4]byte(head[92:96]) && info.Size() < size*pages {
		return damaged(fmt.Sprintf("%d of %d bytes are left", info.Size(), size*pages))
	}
	return nil
}

// alike is how many bytes of head are as a database begins.
func alike(head []byte) (same int) {
	for i, c := range head {
		if c == magic[i] {
			same++
		}
	}
	return same
}

// Check looks for damage in the whole file, as far as it gets until ctx ends, and
// reports whether it got through. It reads everything: a second for some 200 MB.
func (s *Store) Check(ctx context.Context) (whole bool, err error) {
	if s.path != "" {
		if err := intact(s.path); err != nil {
			return true, err
		}
	}
	said := ""
	c, err := s.connect(ctx, readerCache) // one of its own, since it takes long
	if err == nil {
		c.SetInterrupt(ctx)
		_, err = c.first(`PRAGMA quick_check(1)`, nil, func(stmt *sqlite3.Stmt) { said = stmt.ColumnText(0) })
		c.SetInterrupt(context.WithoutCancel(ctx))
		err = errors.Join(err, c.close())
	}
	switch {
	case ctx.Err() != nil:
		return false, nil
	case err != nil:
		return true, failure(ctx, err)
	case said != "ok":
		return true, &BrokenError{
			Reason: "its file is damaged", Remedy: "It is set aside and built anew.", Damaged: true,
			Err: fmt.Errorf("store: %s is damaged: %s", s.name(), said),
		}
	}
	return true, nil
}

// SetAside renames a damaged database, so that Open makes a new one, and returns
// its new path. Nothing is deleted. It refuses while another process syncs the
// database, and where that is read-only. Whoever has it open closes it before.
func SetAside(path string, now time.Time) (aside string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o200 == 0 {
		return "", fmt.Errorf("store: %s is damaged and read-only, so it stays where it is: move it away, or make it writable", path)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if got, err := lock.TryLock(); err != nil {
		return "", fmt.Errorf("store: lock: %w", err)
	} else if !got {
		return "", &HeldError{}
	}
	defer lock.Unlock()
	aside = path + ".damaged-" + now.UTC().Format("20060102-150405")
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.damaged-%s-%d", path, now.UTC().Format("20060102-150405"), n)
	}
	for _, beside := range []string{"-wal", "-shm", ""} { // the file last: without it, these would be taken for a new one's
		if err := os.Rename(path+beside, aside+beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// Aside lists what was set aside of a database.
func Aside(path string) []string {
	found, _ := filepath.Glob(strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path) + ".damaged-*")
	var out []string
	for _, name := range found {
		if !strings.HasSuffix(name, "-wal") && !strings.HasSuffix(name, "-shm") {
			out = append(out, name)
		}
	}
	return out
}

// damaged are the calls whose records cannot be read. It is safe for concurrent
// use.
type damaged struct {
	mu  sync.Mutex
	ids map[int64]bool
}

func (d *damaged) add(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ids == nil {
		d.ids = map[int64]bool{}
	}
	d.ids[id] = true
}

func (d *damaged) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ids)
}

func (d *damaged) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.ids)
}

func (d *damaged) String() string {
	records, calls := "1 record of the local copy is", "its call is"
	if n := d.count(); n > 1 {
		records, calls = fmt.Sprintf("%d records of the local copy are", n), "their calls are"
	}
	return records + " damaged, and " + calls + " left out here; get_call_log reads the upstream's."
}

// bearable is how many damaged records cost their calls alone; where there are
// more of them than good ones, the database is damaged.
const bearable = 5

// leftOut says on an answer what damaged records it leaves out.
func (c *conn) leftOut(p *call.Page) error {
	switch n := c.damaged.count(); {
	case n == 0:
		return nil
	case n > bearable && n > len(p.Logs):
		return &BrokenError{Reason: "its records are damaged", Remedy: "It is set aside and built anew.", Damaged: true, Err: fmt.Errorf("%d records cannot be read: %w", n, errDamaged)}
	}
	p.Notes, p.Coverage.Complete = append(p.Notes, c.damaged.String()), false
	return nil
}

// dropUnread takes the places of damaged records out of a page.
func dropUnread(p *call.Page) {
	if !slices.Contains(p.Logs, nil) {
		return
	}
	var logs []*call.Log
	var hits []call.Hit
	for i, l := range p.Logs {
		if l == nil {
			continue
		}
		logs = append(logs, l)
		if p.Hits != nil {
			hits = append(hits, p.Hits[i])
		}
	}
	p.Logs, p.Hits = logs, hits
}
