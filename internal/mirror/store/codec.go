package store

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// A codec compresses records, each alone, with the help of a dictionary that
// lies in the database: number 0 is none.
type codec struct {
	mu    sync.Mutex
	known map[int64]*dictionary
}

type dictionary struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// maxRecord bounds what a damaged record can unpack to.
const maxRecord = 256 << 20

// dictionary returns the one with that number, which c reads where it is new.
func (d *codec) dictionary(c *conn, id int64) (*dictionary, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.known[id]; known != nil {
		return known, nil
	}
	writing := []zstd.EOption{zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256 << 10), zstd.WithEncoderCRC(false)}
	reading := []zstd.DOption{zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxRecord)}
	if id != 0 {
		var body []byte
		found, err := c.first(`SELECT body FROM dictionaries WHERE id = ?`, []any{id}, func(stmt *sqlite3.Stmt) { body = stmt.ColumnBlob(0, nil) })
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("%w: dictionary %d is missing", errDamaged, id)
		}
		writing = append(writing, zstd.WithEncoderDictRaw(uint32(id), body))
		reading = append(reading, zstd.WithDecoderDictRaw(uint32(id), body))
	}
	encoder, err := zstd.NewWriter(nil, writing...)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	decoder, err := zstd.NewReader(nil, reading...)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if d.known == nil {
		d.known = map[int64]*dictionary{}
	}
	d.known[id] = &dictionary{encoder, decoder}
	return d.known[id], nil
}

// decode unpacks a record.
func (d *codec) decode(c *conn, id int64, body []byte) (*call.Log, error) {
	dict, err := d.dictionary(c, id)
	if err != nil {
		return nil, err
	}
	return dict.decode(body)
}

func (d *dictionary) decode(body []byte) (*call.Log, error) {
	plain, err := d.decoder.DecodeAll(body, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	l, err := decodeRecord(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return l, nil
}

// errDamaged is a record that cannot be read, which costs its call alone.
var errDamaged = errors.New("store: a record is damaged")
