package tools

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"call-logs-mcp/internal/call"
)

// detailNote is said where calls count as lacking what was not read of them.
const detailNote = "Lists of calls carry no metadata or variables here: a call whose own record was not read counts as (absent). A filter on them is exact; call-logs-mcp sync --details all reads every record."

// detailSample is how many records are read one by one, where only the record
// of one call has what is asked for.
const detailSample = 20

// lacksDetail reports that calls may count as absent at one level of groups
// because only their own records have its field, and those were not read. newest
// are the newest calls, of which that was seen.
func (d Deps) lacksDetail(ctx context.Context, by []call.Grouping, level int, counted call.Aggregate) (lacks bool, newest call.Page, err error) {
	if prefix, _, _ := strings.Cut(by[level].Field, "."); prefix != "metadata" && prefix != "dynamic_variables" {
		return false, newest, nil
	}
	if counted.Others == nil && !slices.ContainsFunc(counted.Groups, func(g call.Group) bool { return g.Key[level] == call.Absent }) {
		return false, newest, nil
	}
	newest, err = d.Calls.Find(ctx, call.Query{Limit: detailSample})
	return slices.ContainsFunc(newest.Logs, func(l *call.Log) bool { return !l.Detailed }), newest, err
}

// detailed returns the calls of p with their details, but for those that cannot
// be read, of which a note tells.
func (d Deps) detailed(ctx context.Context, p call.Page) ([]*call.Log, []string) {
	logs := slices.Clone(p.Logs)
	var wait sync.WaitGroup
	for i, l := range logs {
		wait.Go(func() {
			full, err := d.Calls.Get(ctx, l.ID)
			if err != nil {
				full = nil
			}
			logs[i] = full
		})
	}
	wait.Wait()
	read := slices.DeleteFunc(logs, func(l *call.Log) bool { return l == nil })
	notes := p.Notes
	if n := len(p.Logs) - len(read); n > 0 {
		notes = append(notes, fmt.Sprintf("%d records could not be read", n))
	}
	return read, notes
}
