package serve

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A ping asks for nothing, and is answered where the rate of calls is used up.
func TestPingsDoNotCount(t *testing.T) {
	rates := generous()
	rates.PerMinute, rates.Burst, rates.Wait = 1, 2, 1
	h := serving(t, newBench().server(), HTTPOptions{Rates: rates})
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for range 10 {
		assert.Equal(t, 200, h.post(ping).status)
	}
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	codes := map[int]int{}
	for range 4 {
		codes[h.post(list).status]++
	}
	assert.Equal(t, map[int]int{200: 2, 429: 2}, codes)
	assert.Equal(t, 200, h.post(ping).status)
}
