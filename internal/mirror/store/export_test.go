package store

// Small sets up to how many calls a store counts as small, for tests of how it
// behaves with many.
func (s *Store) Small(calls int) { s.small = int64(calls) }
