package filter_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/filter"
)

func TestTidyKeepsWhatJoins(t *testing.T) {
	for s, want := range map[string]string{
		"desk 👨\u200d👩\u200d👧  x": "desk 👨\u200d👩\u200d👧 x", "می\u200cخواهم": "می\u200cخواهم",
		"pass\u200dword": "password", "a\u200b b\u00ad": "a b", "\u200d": "", "e\u0301 ": "é",
	} {
		assert.Equal(t, want, filter.Tidy(s), "%q", s)
	}
}

func TestSameAsItWasCut(t *testing.T) {
	const name = "Support for customers of the northern region"
	assert.True(t, filter.Same(name, "Support for customers of…"))
	assert.True(t, filter.Same(name, "Support for customers …"))
	assert.False(t, filter.Same(name, "Support…"), "too little of it")
	assert.False(t, filter.Same(name, "Support for customers off…"))
}
