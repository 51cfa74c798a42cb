package tools

import (
	_ "embed"
	"strings"
	"time"
)

//go:embed instructions.md
var instructions string

// Instructions is what the server tells a model once, at the beginning.
func (d Deps) Instructions(masked bool) string {
	zone := time.UTC
	if d.Zone != nil {
		zone = d.Zone
	}
	pii := "shown"
	if masked {
		pii = "masked, and filters and searches see it masked; a whole customer_number finds its calls"
	}
	s := strings.NewReplacer("{{sources}}", strings.Join(d.Sources, ", "), "{{zone}}", zone.String(), "{{pii}}", pii).Replace(instructions)
	if d.Sample {
		s = "All calls are made-up " + sampleNote + ".\n\n" + s
	}
	return strings.TrimSpace(s)
}
