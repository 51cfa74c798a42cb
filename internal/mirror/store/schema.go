package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"
)

// migrations lead from one version of the schema to the next; PRAGMA
// user_version counts those that were done. What stands here was released:
// append, never change.
//
// Times are nanoseconds since 1970 in UTC, so that a filter's microseconds mean
// here what they mean in filter.Match; lengths are nanoseconds too. A call's id
// is the eighth of a second in which it began, or the next free one, so that the
// order of rows is that of time; calls without a start have ids up to noStart.
var migrations = []string{`
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE sources(
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
	calls INTEGER NOT NULL DEFAULT 0, committed INTEGER, state BLOB);
CREATE TABLE strings(id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE calls(
	id INTEGER PRIMARY KEY, rev INTEGER NOT NULL,
	source INTEGER NOT NULL, key BLOB NOT NULL, knum REAL, call_id TEXT,
	start INTEGER, created INTEGER, updated INTEGER, duration INTEGER,
	success INTEGER, reviewed INTEGER, cost REAL, turns INTEGER, metrics INTEGER NOT NULL,
	agent INTEGER, agent_name INTEGER, project INTEGER, assistant INTEGER,
	status INTEGER, feedback INTEGER, reason INTEGER, dropoff INTEGER, topic INTEGER,
	direction INTEGER, call_type INTEGER, sentiment INTEGER, error INTEGER,
	customer TEXT, hash INTEGER NOT NULL, light INTEGER NOT NULL, said INTEGER NOT NULL,
	read_at INTEGER NOT NULL, detailed INTEGER NOT NULL);
CREATE UNIQUE INDEX calls_key ON calls(key, source);
CREATE INDEX calls_call_id ON calls(call_id) WHERE call_id IS NOT NULL;
CREATE INDEX calls_knum ON calls(knum) WHERE knum IS NOT NULL;
CREATE INDEX calls_rev ON calls(rev);
CREATE INDEX calls_source ON calls(source);
CREATE INDEX calls_agent ON calls(agent);
CREATE INDEX calls_reason ON calls(reason);
CREATE INDEX calls_customer ON calls(customer) WHERE customer IS NOT NULL;
CREATE INDEX calls_duration ON calls(duration) WHERE duration IS NOT NULL;
CREATE TABLE records(id INTEGER PRIMARY KEY, dictionary INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE dictionaries(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE definitions(
	id INTEGER PRIMARY KEY, metric TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, UNIQUE(metric, name, type));
CREATE TABLE metrics(
	definition INTEGER, call INTEGER, n INTEGER, score REAL, value INTEGER, passed INTEGER,
	PRIMARY KEY(definition, call, n)) WITHOUT ROWID;
CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE extras(name INTEGER, call INTEGER, value TEXT NOT NULL, PRIMARY KEY(name, call)) WITHOUT ROWID;
CREATE TABLE latencies(stage INTEGER, call INTEGER, p50 INTEGER, p95 INTEGER, PRIMARY KEY(stage, call)) WITHOUT ROWID;
CREATE TABLE leaves(
	source INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
	id_from INTEGER NOT NULL, id_to INTEGER NOT NULL, read_at INTEGER NOT NULL, calls INTEGER NOT NULL);
CREATE INDEX leaves_since ON leaves(source, since);
CREATE TABLE tombs(
	source INTEGER, key BLOB, reason INTEGER NOT NULL, read_at INTEGER NOT NULL, PRIMARY KEY(source, key)) WITHOUT ROWID;
CREATE TABLE removed(rev INTEGER PRIMARY KEY, id INTEGER NOT NULL);
CREATE TABLE terms(term TEXT PRIMARY KEY, stem TEXT NOT NULL, calls INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX terms_stem ON terms(stem);
CREATE VIRTUAL TABLE words USING fts5(
	agent, caller, tool, payload, system, other, content='', contentless_delete=1, tokenize='ascii');
INSERT INTO words(words, rank) VALUES('secure-delete', 1), ('hashsize', 8000000), ('automerge', 8);
INSERT INTO meta VALUES('rev', 0), ('epoch', 0), ('shift', 0), ('dictionary', 0);
`, `
INSERT INTO words(words, rank) VALUES('usermerge', 2);
`, `
CREATE TABLE forgotten(hash BLOB PRIMARY KEY) WITHOUT ROWID;
INSERT INTO meta VALUES('forget', randomblob(32));
`}

// tick is how many bits of a start's milliseconds an id leaves out. Each entry
// of the full-text index holds the distance of two ids: a byte less in each makes
// the index a tenth smaller, and eight calls a second still find room.
const tick = 7

// idAt is the id of a call that began in that millisecond, if it is free.
func idAt(millis int64) int64 { return millis >> tick }

// noStart is the largest id of a call without a start time; those with one
// have larger ids, whatever their year.
const noStart = -1 << 53

// maxTurn is how long an Open waits for others that give the file its shape.
const maxTurn = 10 * time.Second

// prepareInTurn is prepare, by one process after the other: SQLite does not wait
// for the lock that the change to WAL takes. Where no lock can be made, as in a
// folder that is read-only, it goes without.
func (s *Store) prepareInTurn(ctx context.Context, c *conn) error {
	if s.path == "" {
		return s.prepare(c)
	}
	ctx, cancel := context.WithTimeout(ctx, maxTurn)
	defer cancel()
	lock := flock.New(s.path+".open", flock.SetPermissions(0o600))
	_, _ = lock.TryLockContext(ctx, 10*time.Millisecond)
	defer lock.Unlock()
	for {
		err := s.prepare(c)
		if !errors.Is(err, sqlite3.BUSY) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// migrate brings the schema to this binary's version, whole or not at all.
func migrate(c *conn) error {
	version, err := c.int(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	if version == int64(len(migrations)) {
		return nil
	}
	return c.transact(func() error {
		version, err := c.int(`PRAGMA user_version`) // another process may have been faster
		if err != nil {
			return err
		}
		if version > int64(len(migrations)) {
			return &BrokenError{
				Reason: "it was written by a newer version of this program", Remedy: "Use that version, or give --mirror another path.",
				Err: fmt.Errorf("it was written by a newer version of this program (schema %d, this one knows %d): use that version, or another path for the copy", version, len(migrations)),
			}
		}
		for ; version < int64(len(migrations)); version++ {
			if err := c.Exec(migrations[version]); err != nil {
				return err
			}
		}
		return c.Exec(fmt.Sprintf("PRAGMA user_version = %d", version))
	})
}
