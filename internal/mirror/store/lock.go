package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// A Holder is the process that syncs.
type Holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// A HeldError says that another process, or another part of this one, syncs.
type HeldError struct{ Holder }

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "store: another process syncs this copy"
	}
	return fmt.Sprintf("store: process %d syncs this copy since %s", e.PID, e.Since.UTC().Format(time.RFC3339))
}

// Lock makes this the one that syncs, until unlock is called or the process
// ends. While another is, it returns a *HeldError at once. A store in memory has
// no one to share with.
func (s *Store) Lock(ctx context.Context) (unlock func(), err error) {
	if s.path == "" {
		return func() {}, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lock := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, broken(fmt.Errorf("store: lock: %w", err))
	}
	if !got {
		holder, _ := s.Holder()
		return nil, &HeldError{holder}
	}
	b, err := json.Marshal(Holder{os.Getpid(), s.now().UTC().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(s.path+".holder", b, 0o600)
	}
	if err != nil {
		lock.Unlock()
		return nil, broken(fmt.Errorf("store: lock: %w", err))
	}
	return func() {
		os.Remove(s.path + ".holder")
		lock.Unlock()
	}, nil
}

// Holder is who syncs; ok is false where nobody does.
func (s *Store) Holder() (h Holder, ok bool) {
	if s.path == "" {
		return h, false
	}
	lock := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	if free, err := lock.TryRLock(); err != nil || free {
		lock.Unlock()
		return h, false
	}
	b, err := os.ReadFile(s.path + ".holder")
	if err != nil || json.Unmarshal(b, &h) != nil {
		return Holder{}, true // it is just about to say so
	}
	return h, true
}
