package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/text/encoding/unicode"

	"call-logs-mcp/internal/call"
)

// The limits of what is read into memory, uncompressed.
const (
	maxBytes = 2 << 30  // of all files together
	maxLine  = 64 << 20 // of one call
	maxDepth = 64       // of JSON within JSON
)

// A reader gathers the logs of files, one after the other. What cannot be read
// costs itself alone, and is counted.
type reader struct {
	name string
	zone *time.Location // of times without an offset
	left int64
	logs []*call.Log
	at   map[string]int // by key, the position in logs

	unread   int
	reasons  []string // why, of the first few
	repeated int      // records of a call that had one before

	file string // that is read, without its folder: models are told of it
	said []saying
}

// namedReasons is how many of the records that could not be read are named.
const namedReasons = 3

// skip counts a record that could not be read.
func (r *reader) skip(where string, err error) {
	if r.unread++; len(r.reasons) < namedReasons {
		r.reasons = append(r.reasons, where+": "+err.Error())
	}
}

// errNoDocument is that the lines of a file are no part of one document.
var errNoDocument = errors.New("not one document")

// take reads the calls of one file, whatever form it has. Its error is that of a
// file in which nothing could be read.
func (r *reader) take(path string) error {
	calls, unread, reasons := len(r.logs)+r.repeated, r.unread, len(r.reasons)
	r.file, r.said = filepath.Base(path), nil
	err := r.open(path, (*reader).lines)
	if errors.Is(err, errNoDocument) {
		err = r.open(path, (*reader).onlyLines)
	}
	if err == nil {
		r.finish()
	}
	switch {
	case err != nil:
		return err
	case r.unread > unread && len(r.logs)+r.repeated == calls && reasons < namedReasons:
		return errors.New(strings.TrimSuffix(path, filepath.Base(path)) + r.reasons[reasons])
	case r.unread > unread && len(r.logs)+r.repeated == calls:
		return fmt.Errorf("%s: none of its %d records could be read", path, r.unread-unread)
	}
	return nil
}

// open gives the text of a file to read.
func (r *reader) open(path string, read func(*reader, *bufio.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err // names the file
	}
	defer f.Close()
	in, err := unzip(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return read(r, asUTF8(in))
}

// unzip knows gzip by its first bytes, since exports are not always named so.
func unzip(in *bufio.Reader) (*bufio.Reader, error) {
	if magic, _ := in.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return in, nil
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, 64<<10), nil
}

// asUTF8 reads UTF-16, by its mark or by the zero beside its first character, as
// UTF-8, and takes a mark away.
func asUTF8(in *bufio.Reader) *bufio.Reader {
	order, mark := unicode.LittleEndian, unicode.ExpectBOM
	switch head, _ := in.Peek(3); {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = in.Discard(3)
		return in
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
	case len(head) > 1 && head[0] != 0 && head[1] == 0:
		mark = unicode.IgnoreBOM
	case len(head) > 1 && head[0] == 0 && head[1] != 0:
		order, mark = unicode.BigEndian, unicode.IgnoreBOM
	default:
		return in
	}
	return bufio.NewReaderSize(unicode.UTF16(order, mark).NewDecoder().Reader(in), 64<<10)
}

// next is a line without its end, and whether it was too long to be read. It is
// valid until the next.
func (r *reader) next(in *bufio.Reader, buf []byte) (line []byte, long bool, err error) {
	line = buf[:0]
	for {
		part, err := in.ReadSlice('\n')
		if r.left -= int64(len(part)); r.left < 0 {
			return nil, false, fmt.Errorf("more than %d GiB of call logs; name fewer files", maxBytes>>30)
		}
		if long = long || len(line)+len(part) > maxLine; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF) && (len(line) > 0 || long):
			return bytes.TrimSpace(line), long, nil
		default:
			return nil, false, err
		}
	}
}

func (r *reader) lines(in *bufio.Reader) error     { return r.read(in, true) }
func (r *reader) onlyLines(in *bufio.Reader) error { return r.read(in, false) }

// read takes each line as a record, or where the first is but the beginning of
// one, all as a document; text that is no JSON as a transcript.
func (r *reader) read(in *bufio.Reader, document bool) error {
	var buf []byte
	for n, begun := 1, false; ; n++ {
		line, long, err := r.next(in, buf)
		where := fmt.Sprintf("%s:%d", r.file, n)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", where, err)
		case long:
			r.skip(where, fmt.Errorf("a line of more than %d MiB", maxLine>>20))
			continue
		case len(line) == 0:
			continue
		}
		buf = line
		first := !begun
		begun = true
		err = valid(line)
		whole := func() io.Reader { return io.MultiReader(bytes.NewReader(append(bytes.Clone(line), '\n')), in) }
		switch {
		case first && document && line[0] != '{' && line[0] != '[':
			return r.transcript(whole())
		case err == nil:
			r.value(gjson.ParseBytes(bytes.Clone(line)), where, wraps)
		case first && document && errors.Is(err, io.ErrUnexpectedEOF):
			return r.document(whole())
		default:
			r.skip(where, plainly(err))
		}
	}
}

// valid is why b is not one JSON value, or nil.
func valid(b []byte) error {
	if json.Valid(b) {
		return nil
	}
	var raw json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&raw); err != nil {
		return err
	}
	return errors.New("more than one value in a line")
}

func plainly(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("not JSON: the line ends too early")
	}
	return fmt.Errorf("not JSON: %w", err)
}

// document reads JSON that is spread over lines: values behind each other, or a
// list of them. After a mistake there is no telling where the next begins.
func (r *reader) document(in io.Reader) error {
	limited := &io.LimitedReader{R: in, N: r.left}
	dec := json.NewDecoder(limited)
	var err error
	n := 0
	for {
		var raw json.RawMessage
		if err = dec.Decode(&raw); err != nil {
			break
		}
		n++
		where := r.file
		if n > 1 {
			where = fmt.Sprintf("%s: value %d", r.file, n)
		}
		r.value(gjson.ParseBytes(raw), where, wraps)
	}
	r.left = limited.N
	switch {
	case errors.Is(err, io.EOF) && limited.N > 0:
	case limited.N <= 0:
		return fmt.Errorf("%s: more than %d GiB of call logs; name fewer files", r.file, maxBytes>>30)
	case n == 0:
		return errNoDocument
	default:
		r.skip(fmt.Sprintf("%s: behind value %d", r.file, n), plainly(err))
	}
	return nil
}

// stem names a record that has no id, by its file and its place there.
func (r *reader) stem() string {
	base := strings.TrimSuffix(filepath.Base(r.file), ".gz")
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// put takes a call in. Of two records of one call the newer counts.
func (r *reader) put(l *call.Log) {
	i, ok := r.at[l.ID.Key]
	if !ok {
		r.at[l.ID.Key] = len(r.logs)
		r.logs = append(r.logs, l)
		return
	}
	r.repeated++
	if old := r.logs[i]; l.UpdatedAt.Before(old.UpdatedAt) {
		r.logs[i] = completed(old, l)
	} else {
		r.logs[i] = completed(l, old)
	}
}
