package call_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
)

// What a tool answers is judged by what its members and words say, not by which
// words occur.
func TestJudgeResult(t *testing.T) {
	for want, results := range map[call.ToolOutcome][]string{
		call.ToolWorked: {
			`ok`, `{"status": "open", "error": null}`, `{"errors": []}`, `{"code": 200}`, `no error found`, `failsafe engaged`, `{"error": ""}`,
			`[1]`, `{"status": "shipped"}`, `{"errors": 0}`, `{"error": 0}`, `{"error": {}}`, `{"error": "none"}`, `{"error": "No error"}`,
			`{"error": "false"}`, `{"code": 431, "kind": "verification"}`, `Timeout set to 30 seconds`, `Error-free delivery`, `failed=0 passed=12`,
			`Error code: 0 (success)`, `{"error": {"code": 0, "message": ""}}`, `{"errors": [null]}`, `{"error_message": "", "ok": true}`,
			`{"timeout": 30}`, `{"failed": 0, "passed": 12}`, `{"is_error": false, "content": "booked"}`, `{"isError": "false"}`, `{"error_code": 0}`,
			`{"error_code": "0000"}`, `{"exit_code": 0}`, `{"success": "true"}`, `{"success": 1}`, `{"available": false}`, `{"found": false}`, `No errors`,
			`0 errors, 0 failures`, `Errors: none`, `error: null`, `{"status": "cancelled"}`, `{"valid": false}`, `false`, `Table 404 is free`, `500 points added`,
			`{"success": true, "data": {"status": "failed"}}`, `{'success': True, 'error': None}`, `{"verification_code": 500}`, `{"error": "N/A"}`,
			`Room 500, second floor`, `{"message": "No problems found"}`, `"booked"`, `{"level": "info"}`, `{"room": {"status": 12}}`,
			`The call completed without errors.`, `{"data": [{"error": null}, {"error": false}]}`,
			`{"status": 200, "body": "Error handling guide"}`, `{"statusCode": "200", "body": "Failed payments"}`, `{"status": "success", "message": "Error handling guide"}`,
			`{"status": "200 OK", "text": "Failed to load? Try again"}`, `{"ok": true, "text": "Error: what it means"}`, `{"code": 200, "message": "payment failed, an article"}`,
			`{"isError": false, "content": [{"type": "text", "text": "Error handling guide"}]}`, `{"is_error": false, "content": "Failed"}`, `isError: false`,
			`{"status": 200, "body": "{\"title\": \"Rejected claims\"}"}`,
		},
		call.ToolFailed: {
			`timeout after 8 s`, `Error: no such account`, `{"error": "x"}`, `{"status": "Failed"}`, `{"status_code": 503}`, `{"success": false}`,
			`[ERROR] broken`, `{"error": {"code": 1}}`, `{"isError": true, "content": [{"type": "text", "text": "nope"}]}`, `{"success": "false"}`,
			`{"statusCode": "404"}`, `{"error_message": "boom"}`, `{"status": "timeout"}`, `HTTP 500`, `404 Not Found`, `{"ok": false}`, `Failed to book`,
			`Traceback (most recent call last)`, `{"successful": false}`, `{"is_error": true}`, `{"errorMessage": "boom"}`, `{"Success":false}`,
			`{"httpStatus": 502}`, `{"failed": true}`, `{"has_error": "true"}`, `{"code": 404, "message": "Not found"}`, `{"code": "ETIMEDOUT"}`,
			`{"error_code": "E42"}`, `{"exit_code": 2}`, `{"success": 0}`, `{"status": "500"}`, `{"status": "404 Not Found"}`, `{"status": false, "message": "x"}`,
			`HTTP/1.1 503 Service Unavailable`, `Request failed with status code 404`, `502 Bad Gateway`, `status code: 500`, `Error 500`, `ValueError: bad date`,
			`java.lang.NullPointerException: x`, `requests.exceptions.ConnectionError('refused')`, `An error occurred while booking`, `Internal Server Error`,
			`Unable to reach the calendar`, `Request timed out`, `timed out`, `ECONNREFUSED 10.0.0.1:443`, `{'success': False, 'error': 'no slot'}`,
			`{"result": {"error": "x"}}`, `{"content": [{"type": "text", "text": "Error: no such order"}]}`, `{"body": "{\"error\": \"x\"}"}`,
			`[{"type": "text", "text": "Error: nope"}]`, `success=false reason=none`, `Sorry, something went wrong`, `Timeout of 8000ms exceeded`, `Cannot connect to host`,
			`{"errors": [{"message": "bad"}]}`, `{"type": "error", "text": "x"}`, `{"outcome": "failure"}`, `{"timed_out": true}`, `"Error: x"`, `Access denied`,
			`<error>no</error>`, `{"response": {"statusCode": 500}}`, `Connection refused`, `{"errors": 3}`, `failed: no seats`, `Error`, `Unauthorized`,
			`{"status": 200, "body": "{\"success\": false}"}`, `{"status": 200, "error": "x"}`, `{"status": "success", "data": {"success": false}}`, `{"fail": true}`,
			`{"Message": "Forbidden"}`, `{"message": "Internal server error"}`, `ERROR boom while reading`, `error code: 521`, `socket hang up`, `fetch failed`,
			`I encountered an error`, `Unknown tool: book`, `upstream connect error or disconnect/reset before headers`,
		},
		call.ToolDoubtful: {
			`Reservation Failed`, `{"message": "Reservation Failed"}`, `The payment was declined`, `{"status": "Booking failed"}`, `We could not find a table`,
			`[{"error": "x"}, {"ok": true}]`, `{"result": "Reservation Failed"}`,
		},
		call.ToolUnanswered: {``, ` `},
	} {
		for _, result := range results {
			assert.Equal(t, want, call.JudgeResult(result), result)
		}
	}
	for want, result := range map[call.ToolOutcome]string{call.ToolWorked: "Error handling guide", call.ToolFailed: `{"success": false}`} {
		tool := &call.Tool{Result: result}
		tool.Judge(new(false))
		assert.Equal(t, want, tool.Outcome(), "words do not deny what the source says, flags do")
	}
	tool := &call.Tool{Result: "no agent available"}
	tool.Judge(new(true))
	assert.Equal(t, call.ToolFailed, tool.Outcome(), "as its source says")
}
