package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/ncruces/go-sqlite3/vfs/mvcc" // databases in memory that connections share

	"call-logs-mcp/internal/call"
)

// Options say where a Store lies.
type Options struct {
	Path string           // a file in a folder of its own; "" or "memory" for this process's memory
	Now  func() time.Time // time.Now where nil
	// View is how calls are seen by who may not see all of them; nil where all may.
	// The index tells what it hides apart. Version names what it hides: a file
	// whose index was made with another is indexed anew.
	View    *call.View
	Version string
}

// A Store is one database. It is safe for use by several goroutines, and the
// file by several processes: one writes at a time, and readers never wait for it.
// Questions share out the readers: see readerPool.
type Store struct {
	path     string // "" in memory
	uri      string
	now      func() time.Time
	view     *call.View
	writing  chan *conn // holds the one connection that writes, when it is free
	readers  *readerPool
	quick    *readerPool   // of questions that take little
	spend    time.Duration // call.SpendTime, but in tests
	codec    codec
	terms    vocabulary
	columns  cache
	walks    rankings
	samples  samples
	small    int64 // smallCache, but in tests
	prompt   int64 // promptly, but in tests
	index    indexing
	patience time.Duration // indexPatience, but in tests
	ids      dictionaryIDs
	claimed  atomic.Pointer[claim] // nil for whatever is there
	closing  sync.Once
	closed   chan struct{}
}

// pageSize suits compressed records of about 2 KB; it can only be set while the
// file is empty.
const pageSize = 8192

// checkpointAfter is how many pages the log beside the database holds before it
// is moved into it. New calls touch the same pages of some indexes again and
// again, and each move writes and syncs them.
const checkpointAfter = 4000

// Caches of the connections, in KiB.
const (
	writerCache = 24 << 10
	readerCache = 10 << 10
)

// Open opens the database, and makes it where there is none. Its errors are for
// the operator. A database or folder that others can read is refused. The
// process's umask becomes 077: SQLite makes files beside the database whenever
// it needs them.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err == nil {
		s.indexOn()
	}
	return s, err
}

func open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{now: o.Now, view: o.View, writing: make(chan *conn, 1), closed: make(chan struct{}), small: smallCache, prompt: promptly, spend: call.SpendTime, patience: indexPatience}
	s.index.version = wordsVersion + " " + o.Version
	if s.now == nil {
		s.now = time.Now
	}
	if o.Path == "" || o.Path == "memory" {
		// One that several connections of this process share, unlike ":memory:".
		s.uri = "file:/" + rand.Text() + "?vfs=mvcc"
		s.newReaders()
	} else {
		path, err := filepath.Abs(o.Path)
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		s.path, s.uri = path, "file:"+escapeURI(path)
		if err := secure(path); err != nil {
			return nil, broken(err)
		}
		if err := intact(path); err != nil {
			return nil, err
		}
		s.newReaders()
	}
	c, err := s.connect(ctx, writerCache)
	if err == nil {
		if err = s.prepareInTurn(ctx, c); err != nil {
			c.close()
		}
	}
	if err != nil {
		b := *broken(err)
		b.Err = fmt.Errorf("store: open %s: %w", s.name(), err)
		return nil, &b
	}
	s.writing <- c
	return s, nil
}

func (s *Store) name() string {
	if s.path == "" {
		return "a database in memory"
	}
	return s.path
}

// escapeURI keeps a path from being read as more than that.
func escapeURI(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
}

// prepare gives an empty database its shape, and an older one the new.
func (s *Store) prepare(c *conn) error {
	if s.path != "" {
		if err := s.shape(c); err != nil {
			return err
		}
	}
	if err := migrate(c); err != nil {
		return err
	}
	return s.indexedAs(c)
}

func (s *Store) shape(c *conn) error {
	pages, err := c.int(`PRAGMA page_count`)
	if err != nil {
		return err
	}
	if pages == 0 { // the size of a page has to be said before WAL
		if err := c.Exec(fmt.Sprintf("PRAGMA page_size = %d", pageSize)); err != nil {
			return err
		}
	}
	if err := c.Exec(`PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	if err := migrate(c); err != nil {
		return err
	}
	size, err := c.int(`PRAGMA page_size`)
	if err == nil && size != pageSize {
		err = fmt.Errorf("its pages have %d bytes, not %d: remove it, and it is built anew", size, pageSize)
	}
	return err
}

// Close waits for those who use the Store, and closes it.
func (s *Store) Close() error {
	var errs []error
	s.closing.Do(func() {
		close(s.closed)
		s.index.work.Wait()
		c := <-s.writing
		errs = append(errs, s.flushTerms(c))
		errs = slices.Concat(errs, s.quick.close(), s.readers.close())
		errs = append(errs, c.close())
	})
	return errors.Join(errs...)
}

// errClosed is what is asked of a Store behind its Close.
var errClosed = errors.New("store: it is closed")

// write lends f the connection that writes.
func (s *Store) write(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return call.Stopped(err)
	}
	select {
	case c := <-s.writing:
		defer func() { s.writing <- c }()
		return failure(ctx, c.lent(ctx, f))
	case <-ctx.Done():
		return call.Stopped(ctx.Err())
	case <-s.closed:
		return failure(ctx, errClosed)
	}
}

// lent runs f, which ctx interrupts.
func (c *conn) lent(ctx context.Context, f func(*conn) error) error {
	c.SetInterrupt(ctx)
	defer func() {
		c.SetInterrupt(context.Background())
		if c.memo.release != nil {
			c.memo.release()
		}
		c.asked, c.last, c.memo = nil, decoded{}, memo{}
		c.damaged.forget()
	}()
	return f(c)
}

// secure makes the folder of path, and refuses what others can read.
func secure(path string) error {
	private()
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, name := range []string{folder, path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		if name == path && info.IsDir() {
			return &BrokenError{
				Reason: filepath.Base(path) + " is a folder", Remedy: "Give --mirror a file in it.",
				Err: fmt.Errorf("store: %s is a folder: name a file in it", path),
			}
		}
		if err := owned(name, info); err != nil {
			return err
		}
	}
	return nil
}
