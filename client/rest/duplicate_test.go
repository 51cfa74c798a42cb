package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
)

func TestDuplicateKeys(t *testing.T) {
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `"k%d":%d,`, i, i)
	}
	for text, want := range map[string]string{
		`{"id": 1, "id": 2}`:                              "id",
		`{"a":[{"x":1},{"x":2}],"b":{"x":3}}`:             "",
		`{"a":{"b":1,"c":{"d":1,"d":2}}}`:                 "d",
		`[{"a":1,"b":[1,2,{"a":1}],"a":2}]`:               "a",
		`{"id":1,"\u0069d":2}`:                            "id",
		`{"a\"":1,"a\\\"":2,"a\\":3}`:                     "",
		`{"a":"{\"a\":1,\"a\":2}","b":"a","c":["a","a"]}`: "",
		`{"ID":1,"id":2}`:                                 "",
		`{` + many.String() + `"k7":1}`:                   "k7",
		`{` + many.String() + `"k":1}`:                    "",
		`}]{"a`:                                           "",
		``:                                                "",
	} {
		key, found := duplicate([]byte(text))
		assert.Equal(t, want, key, "%.80s", text)
		assert.Equal(t, want != "", found, "%.80s", text)
	}
	s := &script{answers: []func() *http.Response{plays(200, `{"ok": true, "ok": false}`)}}
	_, err := s.get(t, Limits{Attempts: 1})
	wantError(t, err, call.Unavailable, "a key twice")
}

// Looking for a key that stands twice costs little beside decoding.
func BenchmarkDuplicate(b *testing.B) {
	record := `{"id":48213,"call_id":"0192-ab","agent":{"id":7,"agent_name":"Front desk"},"success":true,"duration":"01:37","transcript":[` +
		strings.Repeat(`{"role":"Testing Agent","content":"I would like to know where my \"refund\" is, please","start_time":12.5,"end_time":14},`, 33) + `{"role":"Main Agent","content":"Sure"}]}`
	text := []byte(`{"results":[` + strings.Repeat(record+",", 99) + record + `]}`)
	b.Run("walk", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			duplicate(text)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var v struct {
				Results []struct {
					ID         int
					Transcript []struct{ Role, Content string }
				}
			}
			_ = json.Unmarshal(text, &v)
		}
	})
}
