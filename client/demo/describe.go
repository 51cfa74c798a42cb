package demo

import "strconv"

// describe fills in what the telephone system knows of the call.
func (p *player) describe(c *Call, release string) {
	carriers := []string{"Brightline", "Teltrunk", "Northvoice", "Quayside"}
	tiers := []string{"basic", "basic", "plus", "business"}
	region := "us-east"
	switch {
	case len(p.number) > 2 && p.number[:3] == "+44":
		region = "eu-west"
	case p.rng.IntN(3) == 0:
		region = "us-west"
	}
	c.Metadata = map[string]any{
		"release":   release,
		"region":    region,
		"carrier":   pick(p.rng, carriers),
		"queue":     p.agent.queue,
		"direction": "inbound",
		"sip_code":  sipCode(p.course.reason),
		"codec":     pick(p.rng, []string{"opus", "pcmu", "pcmu"}),
	}
	c.DynamicVariables = map[string]any{
		"customer_name": p.slot("name"),
		"account_tier":  pick(p.rng, tiers),
		"language":      "en",
		"open_tickets":  p.rng.IntN(3),
	}
	if p.course.outbound {
		c.Metadata["direction"] = "outbound"
		c.Metadata["campaign"] = p.slot("campaign")
	}
	switch n := p.rng.IntN(60); {
	case n == 0 && !p.course.outbound:
		c.Customer = "anonymous"
	case n == 1 && !p.course.outbound:
		c.Customer = "" // withheld, and the field is null
	}
	if p.rng.IntN(3) > 0 {
		c.TraceID = hex(p.rng.Uint64()) + hex(p.rng.Uint64())
	}
}

// hex is n in 16 digits.
func hex(n uint64) string {
	s := strconv.FormatUint(n, 16)
	return "0000000000000000"[len(s):] + s
}

func sipCode(reason string) int {
	switch reason {
	case "customer-did-not-answer":
		return 480
	case "pipeline-error":
		return 500
	case "transferred":
		return 202
	}
	return 200
}

// critical names the sorts of trouble that a failed call had.
func critical(c Call) (out []string) {
	if *c.Success {
		return nil
	}
	if c.EndedReason == "silence-timed-out" {
		out = append(out, "silence")
	}
	for _, m := range c.Metrics {
		if passed, ok := m.Passed(); ok && !passed && m.Name == metricTool {
			out = append(out, "tool failure")
		}
		if m.Value == "angry" {
			out = append(out, "angry customer")
		}
	}
	return out
}
