package filter_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/filter"
)

type textRow string

func (r textRow) Values(string) []any      { return []any{string(r)} }
func (r textRow) Rows(string) []filter.Row { return nil }

func TestPhonesAreComparedByDigits(t *testing.T) {
	for _, one := range [][]string{
		{"+14155552671", "14155552671", "4155552671", "415-555-2671", "(415) 555-2671", "0014155552671", "+1 415.555.2671", "tel:+1-415-555-2671", "sip:+14155552671@pbx.example", "whatsapp:+14155552671", "４１５５５５２６７１"},
		{"+919876543210", "919876543210", "9876543210", "09876543210", "98765 43210", "00919876543210"},
		{"+4917612345678", "017612345678", "0176 1234 5678", "004917612345678", "17612345678"},
		{"+34612345678", "612 345 678", "0034612345678"},
		{"+201012345678", "٠١٠١٢٣٤٥٦٧٨", "01012345678"},
		{"12345", "123-45"},
	} {
		for _, want := range one[:1] {
			for _, got := range one {
				assert.True(t, filter.Match(filter.Cond{Op: filter.Eq, Value: filter.Operand(want)}, textRow(got)), "%s is %s", want, got)
				assert.True(t, filter.Match(filter.Cond{Op: filter.Eq, Value: filter.Operand(got)}, textRow(want)), "%s is %s", got, want)
			}
		}
	}
	for want, gots := range map[string][]string{
		"+14155552671": {"+14155552670", "+24155552671", "+44155552671", "5552671", "2671", "", "anonymous", "+14155552671 x9", "415555267", "+3314155552671"},
		"9876543210":   {"+919876543211", "876543210", "+4498765432"},
		"anonymous":    {"Anonymous", "0"},
		"1234":         {"01234", "+1234"},
	} {
		for _, got := range gots {
			assert.False(t, filter.Match(filter.Cond{Op: filter.Eq, Value: filter.Operand(want)}, textRow(got)), "%s is not %s", want, got)
		}
	}
	in := filter.Cond{Field: "customer_number", Op: filter.In, Value: []any{nil, filter.Operand("415-555-2671")}}
	assert.True(t, filter.Match(in, textRow("+14155552671")))
	assert.Equal(t, `{"field":"customer_number","op":"in","value":[null,"415-555-2671"]}`, in.String())
}
