package serve

import (
	"context"
	"slices"

	"call-logs-mcp/internal/fair"
	"call-logs-mcp/internal/filter"
)

// The scopes that a principal may hold. CallsRead is needed for anything at
// all; without TranscriptsRead nothing that was said is shown or searched;
// without PIIRead personal data stays masked, whatever the server's default.
const (
	CallsRead       = "calls:read"
	TranscriptsRead = "transcripts:read"
	PIIRead         = "pii:read"
)

// Scopes are all scopes there are, in the order in which they are offered.
func Scopes() []string { return []string{CallsRead, TranscriptsRead, PIIRead} }

// A Principal is who asks. Name says it to the operator and holds no personal
// data. Where is what it may see, as a condition on every call; nil is all.
type Principal struct {
	Name   string
	Scopes []string
	Where  filter.Expr
}

// May says whether p holds a scope.
func (p Principal) May(scope string) bool { return slices.Contains(p.Scopes, scope) }

type principalKey struct{}

// As is ctx on behalf of p, whose name is its key where work is shared out.
func As(ctx context.Context, p Principal) context.Context {
	ctx = fair.By(ctx, p.Name)
	return context.WithValue(ctx, principalKey{}, p)
}

// Who is on whose behalf ctx runs. There is nobody over stdio, and over HTTP
// without authentication; then everything is allowed, since whoever can ask
// could as well read the server's key.
func Who(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// may says whether the one who asks holds a scope.
func may(ctx context.Context, scope string) bool {
	p, ok := Who(ctx)
	return !ok || p.May(scope)
}

// MayShowPII says whether the one who asks may see personal data unmasked.
func MayShowPII(ctx context.Context) bool { return may(ctx, PIIRead) }
