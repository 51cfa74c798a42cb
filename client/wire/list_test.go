package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A page of a suitable size begins where it is wanted, or before.
func TestFit(t *testing.T) {
	for _, most := range []int{1, 2, 9, 100} {
		for at := range 400 {
			for _, n := range []int{1, 2, 22, 100, 500} {
				page, size := fit(at, n, most)
				assert.LessOrEqual(t, size, most)
				assert.LessOrEqual(t, page*size, at)
				assert.Greater(t, (page+1)*size, at)
				if n <= 22 && most == 100 {
					assert.GreaterOrEqual(t, (page+1)*size, at+n, "%d rows from %d on are in one page", n, at)
				}
				to := at + 1
				page, size = fitEnd(to, n, most)
				assert.LessOrEqual(t, size, most)
				assert.Less(t, page*size, to)
				assert.GreaterOrEqual(t, (page+1)*size, to)
			}
		}
	}
}
