package filter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Values that upstreams write both ways are found however they are asked for, and
// asking again for what was understood asks the same.
func TestAnyCase(t *testing.T) {
	schema := Schema{{Name: "status", Kind: Text, AnyCase: true}, {Name: "topic", Kind: Text}}
	for text, want := range map[string]string{
		`{"field":"status","op":"eq","value":"ENDED"}`:          `{"field":"status","op":"in","value":["ENDED","ended"]}`,
		`{"field":"status","op":"in","value":["Error","open"]}`: `{"field":"status","op":"in","value":["Error","open","error"]}`,
		`{"field":"status","op":"eq","value":"ended"}`:          `{"field":"status","op":"eq","value":"ended"}`,
		`{"field":"topic","op":"eq","value":"Refund"}`:          `{"field":"topic","op":"eq","value":"Refund"}`,
	} {
		e, err := Parse([]byte(text), schema, Clock{})
		require.NoError(t, err)
		assert.Equal(t, want, e.String())
		again, err := Parse([]byte(e.String()), schema, Clock{})
		require.NoError(t, err)
		assert.Equal(t, want, again.String())
	}
}
