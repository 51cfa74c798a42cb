package loose

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a tool answers is an error or it is not.
func TestFailed(t *testing.T) {
	for result, want := range map[string]bool{
		``: false, `ok`: false, `{"status": "open", "error": null}`: false, `{"errors": []}`: false, `{"code": 200}`: false,
		`no error found`: false, `failsafe engaged`: false, `{"error": ""}`: false, `[1]`: false, `{"status": "shipped"}`: false,
		`timeout after 8 s`: true, `Error: no such account`: true, `{"error": "x"}`: true, `{"status": "Failed"}`: true,
		`{"status_code": 503}`: true, `{"success": false}`: true, `[ERROR] broken`: true, `{"error": {"code": 1}}`: true,
	} {
		assert.Equal(t, want, Failed(result), result)
	}
}
