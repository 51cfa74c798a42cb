package serve

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// errLong is a line over the limit. The rest of it has been skipped, so the
// next line can be read.
var errLong = errors.New("line too long")

// lineReader reads lines of at most max bytes, and holds no more than that.
type lineReader struct {
	r   *bufio.Reader
	max int
}

func newLineReader(r io.Reader, longest int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: longest}
}

// next is the next line without its end, in memory of its own. The last line
// may lack its newline. io.EOF comes alone, after it.
func (l *lineReader) next() ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		long = long || len(line)+len(bytes.TrimRight(part, "\r\n")) > l.max
		if long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (long || len(line) > 0):
			err = nil // the end is told when it is asked for again
		}
		if err == nil && long {
			err = errLong
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}
