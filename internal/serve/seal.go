package serve

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// sealPrefix names the format of what is sealed.
const sealPrefix = "s1."

// sealLife is how long a sealed text can be opened.
const sealLife = 24 * time.Hour

// A Sealer seals texts that go out to a principal and come back, such as
// cursors: nobody else can open one, nor read or change it, and neither can
// the principal once its filter is another, or after a day.
type Sealer struct {
	aead cipher.AEAD
	now  func() time.Time
}

// NewSealer seals with a secret that all replicas share, of any length. None
// is one of its own, which ends with the process.
func NewSealer(secret []byte) *Sealer {
	if len(secret) == 0 {
		secret = random(32)
	}
	key := sha256.Sum256(append([]byte("call-logs-mcp cursors\x00"), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("serve: " + err.Error()) // the key has the length of one
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("serve: " + err.Error())
	}
	return &Sealer{aead, time.Now}
}

// Seal seals text for the one who asks. For nobody it stays as it is.
func (s *Sealer) Seal(ctx context.Context, text string) string {
	p, known := Who(ctx)
	if !known || text == "" {
		return text
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(s.now().Add(sealLife).Unix()/60))
	nonce := random(s.aead.NonceSize())
	out = append(out, nonce...)
	out = s.aead.Seal(out, nonce, []byte(text), bound(p, out[:4]))
	return sealPrefix + base64.RawURLEncoding.EncodeToString(out)
}

// Open is the text that Seal was given for the same principal; ok is false for
// any other.
func (s *Sealer) Open(ctx context.Context, sealed string) (text string, ok bool) {
	p, known := Who(ctx)
	if !known || sealed == "" {
		return sealed, true
	}
	rest, found := strings.CutPrefix(strings.TrimSpace(sealed), sealPrefix)
	data, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	head := 4 + s.aead.NonceSize()
	if !found || err != nil || len(data) < head {
		return "", false
	}
	if s.now().Unix()/60 > int64(binary.BigEndian.Uint32(data)) {
		return "", false
	}
	plain, err := s.aead.Open(nil, data[4:head], data[head:], bound(p, data[:4]))
	return string(plain), err == nil
}

// bound is what a seal holds good for.
func bound(p Principal, until []byte) []byte {
	where := ""
	if p.Where != nil {
		where = p.Where.String()
	}
	return append([]byte(p.Name+"\x00"+where+"\x00"), until...)
}
