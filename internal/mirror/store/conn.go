package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"call-logs-mcp/internal/call"
)

// A conn is one connection to the database, used by one goroutine at a time.
type conn struct {
	*sqlite3.Conn
	idle  map[string]*sqlite3.Stmt // prepared statements that nobody steps through
	asked []*asked                 // the conditions of the running question, by the number that SQL has of them
	last  decoded                  // the record that was decoded last
	ranks ranking                  // what the words of the running question are worth
	store *Store
	memo  memo
	quick bool // it is of the pool for questions that take little

	damaged damaged // records that the running question cannot read
}

// maxIdle bounds how many statements a connection keeps; filters are of
// endless variety.
const maxIdle = 100

// connect opens a connection, again while others make or close the file: its
// first look into that is one that SQLite does not wait for.
func (s *Store) connect(ctx context.Context, cache int) (*conn, error) {
	for end := time.Now().Add(maxTurn); ; {
		c, err := s.connectNow(ctx, cache)
		if !errors.Is(err, sqlite3.BUSY) || time.Now().After(end) || ctx.Err() != nil {
			return c, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *Store) connectNow(ctx context.Context, cache int) (*conn, error) {
	db, err := sqlite3.OpenContext(ctx, s.uri)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: db, idle: map[string]*sqlite3.Stmt{}, store: s}
	if err := c.setUp(cache); err != nil {
		db.Close()
		return nil, err
	}
	return c, nil
}

// setUp loads FTS5 and the functions that SQL calls, and sets what belongs to a
// connection. cache is in KiB.
func (c *conn) setUp(cache int) error {
	if err := fts5.RegisterCustom(c.Conn, c.registerRank); err != nil {
		return err
	}
	if err := c.registerFunctions(); err != nil {
		return err
	}
	if err := c.registerFits(); err != nil {
		return err
	}
	// secure_delete writes zeros over what is freed: FTS5 frees whole segments
	// as it merges them, and what was copied out of them may be purged later.
	return c.Exec(fmt.Sprintf(`PRAGMA busy_timeout = 10000; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;
		PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d;`, cache, checkpointAfter))
}

func (c *conn) close() error {
	for _, stmt := range c.idle {
		stmt.Close()
	}
	clear(c.idle)
	return c.Close()
}

// each steps through the rows of a query until row returns false.
func (c *conn) each(query string, args []any, row func(*sqlite3.Stmt) (bool, error)) error {
	stmt := c.idle[query]
	delete(c.idle, query)
	if stmt == nil {
		var err error
		if stmt, _, err = c.Prepare(query); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	defer c.keep(query, stmt)
	if err := bind(stmt, args); err != nil {
		return err
	}
	for stmt.Step() {
		more, err := row(stmt)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
	if err := stmt.Err(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func (c *conn) keep(query string, stmt *sqlite3.Stmt) {
	stmt.Reset() // what it returns is the error of the last step
	if len(c.idle) >= maxIdle {
		for q, old := range c.idle { // any one
			old.Close()
			delete(c.idle, q)
			break
		}
	}
	if c.idle[query] != nil {
		stmt.Close()
		return
	}
	c.idle[query] = stmt
}

func bind(stmt *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		var err error
		switch v := arg.(type) {
		case nil:
			err = stmt.BindNull(i + 1)
		case int:
			err = stmt.BindInt(i+1, v)
		case int64:
			err = stmt.BindInt64(i+1, v)
		case float64:
			err = stmt.BindFloat(i+1, v)
		case string:
			err = stmt.BindText(i+1, v)
		case []byte:
			err = stmt.BindBlob(i+1, v)
		case bool:
			err = stmt.BindBool(i+1, v)
		default:
			err = fmt.Errorf("store: cannot bind a %T", arg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// do runs a statement for its effect.
func (c *conn) do(query string, args ...any) error {
	return c.each(query, args, func(*sqlite3.Stmt) (bool, error) { return true, nil })
}

// first hands the first row of a query to row, and says whether there was one.
func (c *conn) first(query string, args []any, row func(*sqlite3.Stmt)) (found bool, err error) {
	err = c.each(query, args, func(stmt *sqlite3.Stmt) (bool, error) {
		row(stmt)
		found = true
		return false, nil
	})
	return found, err
}

// int is the number that a query answers with, 0 where it has no row.
func (c *conn) int(query string, args ...any) (n int64, err error) {
	_, err = c.first(query, args, func(stmt *sqlite3.Stmt) { n = stmt.ColumnInt64(0) })
	return n, err
}

// transact runs f in a transaction that may write.
func (c *conn) transact(f func() error) error {
	txn, err := c.BeginImmediate()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer func() {
		if !c.GetAutocommit() { // f failed, or panicked
			txn.Rollback()
		}
	}()
	if err := f(); err != nil {
		return err
	}
	if err := txn.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

// snapshot runs f in a transaction that reads, so that all of its queries see
// the database at one moment.
func (c *conn) snapshot(f func() error) error {
	if err := c.Exec(`BEGIN`); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer c.rollback()
	return f()
}

func (c *conn) rollback() {
	ctx := c.SetInterrupt(context.Background()) // a cancelled question is rolled back too
	c.Exec(`ROLLBACK`)
	c.SetInterrupt(ctx)
}

// failure is err as the domain knows it.
func failure(ctx context.Context, err error) error {
	var known *call.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return call.Stopped(ctx.Err())
	case errors.As(err, &known):
		return err
	}
	b := broken(err)
	return &call.Error{Kind: call.Unavailable, Msg: "The local copy cannot be used: " + b.Reason + ".", Hint: b.Remedy, Err: b}
}

// float is v for a column of numbers; SQL has no NaN.
func float(v *float64) any {
	if v == nil || math.IsNaN(*v) {
		return nil
	}
	return *v
}
