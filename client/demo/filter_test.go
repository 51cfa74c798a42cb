package demo

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Each filter is put beside a plain reading of what it says.
func TestFilters(t *testing.T) {
	a := sample(Options{})
	calls := a.Calls()
	now := sampleNow()
	today := now.Truncate(24 * time.Hour)
	metric := func(c Call, holds func(Metric) bool) bool { return slices.ContainsFunc(c.Metrics, holds) }
	number := func(m Metric, holds func(float64) bool) bool { return m.Type != "enum" && holds(m.Score) }
	for where, holds := range map[string]func(Call) bool{
		`{"field":"success","op":"eq","value":false}`:                                 failed,
		`{"field":"success","op":"neq","value":true}`:                                 failed, // null is not unequal, as in SQL
		`{"field":"success","op":"isnull","value":true}`:                              func(c Call) bool { return c.Success == nil },
		`{"field":"duration","op":"gte","value":90}`:                                  func(c Call) bool { return c.Seconds >= 90 },
		`{"field":"duration","op":"lt","value":60}`:                                   func(c Call) bool { return math.Floor(c.Seconds) < 60 },
		`{"field":"topic","op":"eq","value":"refund status"}`:                         func(c Call) bool { return c.Topic == "refund status" },
		`{"field":"topic","op":"contains","value":"RE"}`:                              func(c Call) bool { return strings.Contains(c.Topic, "re") },
		`{"field":"dropoff_point","op":"isnull","value":false}`:                       func(c Call) bool { return c.DropoffPoint != "" },
		`{"field":"dropoff_point","op":"neq","value":"x"}`:                            func(c Call) bool { return c.DropoffPoint != "" },
		`{"field":"customer_number","op":"startswith","value":"+44"}`:                 func(c Call) bool { return strings.HasPrefix(c.Customer, "+44") },
		`{"field":"call_ended_reason","op":"in","value":["voicemail","transferred"]}`: func(c Call) bool { return c.EndedReason == "voicemail" || c.EndedReason == "transferred" },
		`{"field":"is_reviewed","op":"eq","value":true}`:                              func(c Call) bool { return c.Reviewed },
		`{"field":"agent.id","op":"eq","value":2150}`:                                 func(c Call) bool { return c.Agent == 2150 },
		`{"field":"agent.agent_name","op":"eq","value":"Support EN"}`:                 func(c Call) bool { return c.Agent == 2142 },
		`{"field":"timestamp","op":"gte","value":"now-7d"}`:                           func(c Call) bool { return !c.Timestamp.Before(now.AddDate(0, 0, -7)) },
		`{"field":"timestamp","op":"gte","value":"today-1d"}`:                         func(c Call) bool { return !c.Timestamp.Before(today.AddDate(0, 0, -1)) },
		`{"field":"timestamp","op":"lte","value":"today-7d"}`:                         func(c Call) bool { return c.Timestamp.Before(today.AddDate(0, 0, -6)) },
		`{"field":"created_at","op":"lt","value":"2026-11-10T00:00:00Z"}`: func(c Call) bool {
			return c.CreatedAt.Before(time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC))
		},
		`{"field":"metadata.release","op":"eq","value":"r42"}`:      func(c Call) bool { return c.Metadata["release"] == "r42" },
		`{"field":"metadata.sip_code","op":"eq","value":"480"}`:     func(c Call) bool { return c.Metadata["sip_code"] == 480 },
		`{"field":"metadata.campaign","op":"neq","value":"x"}`:      func(c Call) bool { return c.Metadata["campaign"] != nil },
		`{"field":"metadata.campaign","op":"isnull","value":false}`: func(c Call) bool { return c.Metadata["campaign"] != nil },
		`{"field":"metric_evaluations.metric.name","op":"eq","value":"Tool Success"}`: func(c Call) bool {
			return metric(c, func(m Metric) bool { return m.Name == metricTool })
		},
		`{"operator":"same_row","conditions":[{"field":"metric_evaluations.metric.name","op":"eq","value":"Tool Success"},{"field":"metric_evaluations.value","op":"lt","value":1}]}`: func(c Call) bool {
			return metric(c, func(m Metric) bool { return m.Name == metricTool && m.Score == 0 })
		},
		`{"operator":"and","conditions":[{"field":"metric_evaluations.metric.name","op":"eq","value":"Tool Success"},{"field":"metric_evaluations.value","op":"lt","value":1}]}`: func(c Call) bool {
			return metric(c, func(m Metric) bool { return m.Name == metricTool }) &&
				metric(c, func(m Metric) bool { return number(m, func(n float64) bool { return n < 1 }) })
		},
		`{"operator":"same_row","conditions":[{"field":"metric_evaluations.metric.id","op":"eq","value":815},{"field":"metric_evaluations.value","op":"eq","value":"angry"}]}`: func(c Call) bool {
			return metric(c, func(m Metric) bool { return m.ID == 815 && m.Value == "angry" })
		},
		`{"operator":"or","conditions":[{"operator":"and","conditions":[{"field":"success","op":"eq","value":false},{"field":"agent.id","op":"eq","value":2142}]},{"field":"topic","op":"eq","value":"booking"}]}`: func(c Call) bool {
			return failed(c) && c.Agent == 2142 || c.Topic == "booking"
		},
	} {
		want := only(calls, holds)
		p := fetch(t, a, 200, "filters_v2", where, "page_size", "500")
		assert.NotEmpty(t, want, "%s selects nothing, so proves nothing", where)
		assert.Less(t, len(want), 600, "%s selects everything", where)
		assert.Equal(t, len(want), p.Count, where)
		assert.Equal(t, idsOf(want)[:min(500, len(want))], p.ids(), where)
	}
}

func TestFiltersByID(t *testing.T) {
	a := sample(Options{})
	call := a.Calls()[17]
	for _, where := range []string{
		fmt.Sprintf(`{"field":"id","op":"eq","value":%d}`, call.ID),
		fmt.Sprintf(`{"field":"call_id","op":"in","value":[%q,"x"]}`, call.CallID),
	} {
		assert.Equal(t, []int{call.ID}, fetch(t, a, 200, "filters_v2", where).ids(), where)
	}
	assert.Zero(t, fetch(t, a, 200, "filters_v2", `{"field":"topic","op":"eq","value":null}`).Count)
}

func TestFiltersRefused(t *testing.T) {
	a := sample(Options{Calls: 3})
	for where, says := range map[string]string{
		`{"field":"sentiment","op":"eq","value":"angry"}`:        "sentiment",
		`{"field":"duration","op":"contains","value":"9"}`:       "contains",
		`{"field":"timestamp","op":"neq","value":"now"}`:         "neq",
		`{"field":"metadata.a.b","op":"eq","value":"9"}`:         "metadata",
		`{"field":"call_ended_reason","op":"regex","value":"."}`: "regex",
		`{"field":"transcript","op":"contains","value":"hello"}`: "transcript",
		`{"field":"success"`:                 "JSON",
		`{"operator":"not","conditions":[]}`: "not",
		`{"operator":"same_row","conditions":[{"field":"topic","op":"eq","value":"x"}]}`: "same_row",
	} {
		assert.Regexp(t, regexp.MustCompile(`^Invalid filters_v2: .*`+says), fetch(t, a, 400, "filters_v2", where).Detail)
	}
}
