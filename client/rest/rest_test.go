package rest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/internal/call"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "canary-key-8c57d091"

// quick are limits under which a fault shows within a test's patience.
func quick() Limits {
	return Limits{
		Total: 8 * time.Second, Exchange: 6 * time.Second, Header: 2 * time.Second,
		Dial: 300 * time.Millisecond, Pause: 10 * time.Second, Stall: 200 * time.Millisecond,
		Body: 1 << 20, Rate: 1000, Burst: 1000,
	}
}

type answer struct {
	OK bool `json:"ok"`
}

func open(t *testing.T, base string, l Limits) (*Client, *bytes.Buffer) {
	var log bytes.Buffer
	c, err := New(Options{
		Name: "Cekura", BaseURL: base, KeyName: "CEKURA_API_KEY", BaseName: "CEKURA_BASE_URL", Version: "1.2.3",
		Header: func(h http.Header) { h.Set("X-CEKURA-API-KEY", canary) },
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Limits: l,
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, &log
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// wantError checks what all failures promise, and that err is of the kind.
func wantError(t *testing.T, err error, kind call.Kind, texts ...string) *call.Error {
	t.Helper()
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, kind, e.Kind, e.Error())
	for _, text := range texts {
		assert.Contains(t, e.Error(), text)
	}
	for _, said := range []string{e.Error(), fmt.Sprint(e.Err)} {
		assert.NotContains(t, said, canary)
		assert.NotContains(t, said, "1415", "a query is not for messages")
	}
	return e
}

func TestGet(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/base/v1/call-logs/", r.URL.Path)
		assert.Equal(t, "2", r.URL.Query().Get("page"))
		assert.Equal(t, canary, r.Header.Get("X-CEKURA-API-KEY"))
		assert.Equal(t, "call-logs-mcp/1.2.3", r.UserAgent())
		assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "\ufeff {\"ok\": true}")
		_ = z.Close()
	})
	c, log := open(t, base+"/base/", Limits{})
	var a answer
	meta, err := c.Get(t.Context(), Path("v1", "call-logs", ""), url.Values{"page": {"2"}, "customer": {"+1415"}}, &a)
	require.NoError(t, err)
	assert.True(t, a.OK)
	assert.Equal(t, 1, meta.Attempts)
	assert.WithinDuration(t, time.Now(), meta.Date, 5*time.Second)
	assert.NotContains(t, log.String(), canary)
	assert.NotContains(t, log.String(), "1415")
}

func TestPath(t *testing.T) {
	assert.Equal(t, "/a/b/", Path("a", "b", ""))
	assert.Equal(t, "/a/..%2Fx%3Fy=1%23/%2E%2E", Path("a", "../x?y=1#", ".."))
}

func TestBaseURL(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.cekura.ai":             "",
		"http://127.0.0.1:8080/x":           "",
		"http://[::1]:8080":                 "",
		"http://localhost":                  "",
		"http://api.cekura.ai":              "use https",
		"http://127.0.0.1.evil.example":     "use https",
		"ftp://api.cekura.ai":               "use https",
		"https://user:" + canary + "@x.org": "user or password",
		"https://x.org/?key=" + canary:      "no query",
		"api.cekura.ai":                     "no host",
		"https://x.org:" + canary:           "not a URL",
	} {
		_, err := New(Options{BaseURL: base, BaseName: "CEKURA_BASE_URL"})
		if want == "" {
			assert.NoError(t, err, base)
			continue
		}
		require.ErrorContains(t, err, want, base)
		assert.ErrorContains(t, err, "CEKURA_BASE_URL")
		assert.NotContains(t, err.Error(), canary)
	}
}

// fault is one way of an upstream to misbehave, and what the model is told.
type fault struct {
	name     string
	serve    http.HandlerFunc
	kind     call.Kind
	says     []string
	attempts int
}

func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func hijack(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
	}
}

func flood(n int, zip bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var out io.Writer = w
		if zip {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			out = z
		}
		line := bytes.Repeat([]byte(" "), 1<<16)
		for range n >> 16 {
			if _, err := out.Write(line); err != nil {
				return
			}
		}
	}
}

func faults() []fault {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	evil := `{"detail": "bad «` + canary + `»` + `\u001b[31m \u202e` + strings.Repeat("x", 500) + `"}`
	return []fault{
		{"400 detail", status(400, `{"detail": "Range is wider than 33 days."}`), call.Invalid, []string{"(400): «Range is wider than 33 days.»"}, 1},
		{"400 fields", status(400, `{"timestamp_from": ["Not a date."], "page": ["Bad."]}`), call.Invalid, []string{"«page: Bad.; timestamp_from: Not a date.»"}, 1},
		{"400 personal", status(400, `{"detail": "`+strings.Repeat("x", 190)+` is 329-40-5167, no?"}`), call.Invalid, []string{"x is •••-•…»"}, 1},
		{"400 hostile", status(400, evil), call.Invalid, []string{"«bad ‹[redacted]›", "…»"}, 1},
		{"400 page", status(400, "<html>no</html>"), call.Invalid, []string{"(400)."}, 1},
		{"401", status(401, `{"detail": "`+canary+`"}`), call.Unauthorized, []string{"Cekura refused the key in CEKURA_API_KEY (401). Retrying will not help"}, 1},
		{"403", status(403, `{"detail": "No access to agent 12."}`), call.Forbidden, []string{"CEKURA_API_KEY", "«No access to agent 12.»"}, 1},
		{"404", status(404, `{"detail": "Not found."}`), call.NotFound, []string{"(404): «Not found.»"}, 1},
		{"413", status(413, ""), call.TooLarge, nil, 1},
		{"429 long", status(429, "", "Retry-After", "37"), call.RateLimited, []string{"next request in 37 s"}, 1},
		{"429 a day", status(429, "", "Retry-After", "86400"), call.RateLimited, []string{"86400 s"}, 1},
		{"500", status(500, "boom"), call.Unavailable, []string{"failing (500), 2 times"}, 2},
		{"500 a year", status(500, "", "Retry-After", "31536000"), call.Unavailable, []string{"in 31536000 s, which is more than is believed; try again in 86400 s"}, 1},
		{"429 a year", status(429, "", "Retry-After", "31536000"), call.RateLimited, []string{"for 31536000 s, which is more than is believed; it allows the next request in 86400 s"}, 1},
		{"503 later", status(503, "", "Retry-After", "120"), call.Unavailable, []string{"in 120 s"}, 1},
		{"304", status(304, ""), call.Unavailable, []string{"304"}, 1},
		{"empty", status(200, " "), call.Unavailable, []string{"answered with nothing, 2 times"}, 2},
		{"web page", status(200, "<!doctype html>login"), call.Unavailable, []string{"answered with a web page, not JSON; check CEKURA_BASE_URL"}, 2},
		{"text/html", status(200, "login", "Content-Type", "text/html; charset=utf-8"), call.Unavailable, []string{"web page"}, 2},
		{"truncated JSON", status(200, `{"ok": tr`), call.Unavailable, []string{"broken JSON, 2 times"}, 2},
		{"NaN", status(200, `{"ok": NaN}`), call.Unavailable, []string{"broken JSON"}, 2},
		{"other shape", status(200, `[1]`), call.Unavailable, []string{"unknown shape"}, 2},
		{"deep", status(200, strings.Repeat("[", 20000)+strings.Repeat("]", 20000)), call.Unavailable, []string{"JSON"}, 2},
		{"lying encoding", status(200, `{"ok": true}`, "Content-Encoding", "gzip"), call.Unavailable, []string{"damaged archive"}, 2},
		{"over the limit", flood(2<<20, false), call.TooLarge, []string{"more than 1 MiB"}, 1},
		{"gzip bomb", flood(64<<20, true), call.TooLarge, []string{"more than 1 MiB"}, 1},
		{"headers never come", hang, call.Timeout, []string{"did not answer in time"}, 1},
		{"drip", drip, call.Timeout, []string{"stalled"}, 1},
		{"reset", hijack(""), call.Unavailable, []string{"broke off", "2 times"}, 2},
		{"cut body", hijack("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), call.Unavailable, []string{"broke off", "2 times"}, 2},
		{"redirect loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, call.Unavailable, []string{"in circles"}, 1},
	}
}

func TestFaults(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			l := quick()
			if f.attempts == 2 {
				l.Attempts = 2
			}
			c, log := open(t, serve(t, f.serve), l)
			var a answer
			start := time.Now()
			meta, err := c.Get(t.Context(), "/x/", url.Values{"customer": {"+1415"}}, &a)
			e := wantError(t, err, f.kind, f.says...)
			assert.Equal(t, f.attempts, meta.Attempts)
			assert.Less(t, time.Since(start), l.Total+500*time.Millisecond)
			assert.NotContains(t, log.String(), canary)
			assert.Less(t, len(e.Error()), 600)
			if _, said, ok := strings.Cut(e.Error(), "«"); ok {
				said, _, _ = strings.Cut(said, "»")
				assert.LessOrEqual(t, len([]rune(said)), maxQuote)
				assert.NotContains(t, said, "\x1b")
				assert.NotContains(t, said, "\u202e")
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	var leaked atomic.Int32
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { leaked.Add(1) })
	for _, code := range []int{301, 302, 303, 307, 308} {
		base := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/x/", code) })
		c, _ := open(t, base, quick())
		_, err := c.Get(t.Context(), "/x/", nil, new(answer))
		wantError(t, err, call.Unavailable, "another host", "CEKURA_BASE_URL")
	}
	assert.Zero(t, leaked.Load(), "no request goes to the other host")

	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x" {
			http.Redirect(w, r, "/x/", http.StatusMovedPermanently)
			return
		}
		assert.Equal(t, canary, r.Header.Get("X-CEKURA-API-KEY"))
		_, _ = io.WriteString(w, `{"ok": true}`)
	})
	c, _ := open(t, base, quick())
	_, err := c.Get(t.Context(), "/x", nil, new(answer))
	require.NoError(t, err)
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := "http://" + l.Addr().String()
	require.NoError(t, l.Close())

	plain := strings.Replace(serve(t, status(200, `{}`)), "http:", "https:", 1)
	unknown := httptest.NewUnstartedServer(status(200, `{}`))
	unknown.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	unknown.StartTLS()
	defer unknown.Close()

	for _, x := range []struct{ base, says string }{
		{refused, "refuses the connection"},
		{plain, "does not speak TLS"},
		{unknown.URL, "an authority that this machine does not know"},
	} {
		c, _ := open(t, x.base, quick())
		_, err := c.Get(t.Context(), "/x/", nil, new(answer))
		wantError(t, err, call.Unavailable, x.says)
	}

	// Dials that end elsewhere than at api.cekura.ai, or nowhere.
	for says, dial := range map[string]func() (net.Conn, error){
		"issued for another name":    func() (net.Conn, error) { return net.Dial("tcp", unknown.Listener.Addr().String()) },
		"is not found (DNS)":         func() (net.Conn, error) { return nil, &net.DNSError{Err: "no such host", IsNotFound: true} },
		"no connection to api.cekur": func() (net.Conn, error) { return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded} },
	} {
		transport := unknown.Client().Transport.(*http.Transport).Clone()
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial() }
		c, err := New(Options{Name: "Cekura", BaseURL: "https://api.cekura.ai", Transport: transport, Limits: quick()})
		require.NoError(t, err)
		meta, err := c.Get(t.Context(), "/x/", nil, new(answer))
		wantError(t, err, call.Unavailable, says)
		assert.Equal(t, 1, meta.Attempts, says)
	}

	c, err := New(Options{
		Name: "Cekura", BaseURL: unknown.URL, KeyName: "CEKURA_API_KEY", Limits: quick(),
		Header:    func(h http.Header) { h.Set("X-CEKURA-API-KEY", canary+"\r\nX: y") },
		Transport: unknown.Client().Transport,
	})
	require.NoError(t, err)
	_, err = c.Get(t.Context(), "/x/", nil, new(answer))
	wantError(t, err, call.Unauthorized, "CEKURA_API_KEY holds characters")
	unknown.Client().CloseIdleConnections()
}

// A flapping upstream is invisible.
func TestRetry(t *testing.T) {
	for _, bad := range []http.HandlerFunc{status(502, ""), status(503, ""), status(504, ""), status(429, ""), hijack(""), status(200, "{")} {
		var n atomic.Int32
		c, _ := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				bad(w, r)
				return
			}
			_, _ = io.WriteString(w, `{"ok": true}`)
		}), Limits{})
		meta, err := c.Get(t.Context(), "/x/", nil, new(answer))
		require.NoError(t, err)
		assert.Equal(t, 2, meta.Attempts)
	}
}

func TestCancelReachesTheSocket(t *testing.T) {
	asked, gone := make(chan struct{}), make(chan time.Time, 1)
	c, _ := open(t, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		gone <- time.Now()
	}), Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	var canceled time.Time
	go func() {
		<-asked
		canceled = time.Now()
		cancel()
	}()
	_, err := c.Get(ctx, "/x/", nil, new(answer))
	wantError(t, err, call.Canceled)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Less(t, (<-gone).Sub(canceled), 100*time.Millisecond)

	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c, _ = open(t, serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), Limits{})
	_, err = c.Get(ctx, "/x/", nil, new(answer))
	wantError(t, err, call.Timeout, "in the time there was")
}

func TestInFlight(t *testing.T) {
	var now, most atomic.Int32
	c, _ := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(10 * time.Millisecond)
		now.Add(-1)
		_, _ = io.WriteString(w, `{"ok": true}`)
	}), quick())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := c.Get(t.Context(), "/x/", nil, new(answer))
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.LessOrEqual(t, most.Load(), int32(4))
}

func TestStatusErrorIsFound(t *testing.T) {
	c, _ := open(t, serve(t, status(410, `{"message": "gone for good"}`)), quick())
	_, err := c.Get(t.Context(), "/x/", nil, new(answer))
	var s *StatusError
	require.True(t, errors.As(err, &s))
	assert.Equal(t, 410, s.Code)
	assert.Equal(t, "gone for good", s.Detail)
}
