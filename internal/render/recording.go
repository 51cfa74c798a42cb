package render

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// Recording is the address of a recording without its signature, which opens it
// to everybody, and until when the signature holds, zero where nobody says or
// there is none.
func Recording(s string) (address string, expires time.Time, signed bool) {
	u, err := url.Parse(s)
	if err != nil {
		bare, _, cut := strings.Cut(s, "?")
		return Address(bare), time.Time{}, cut
	}
	query := map[string]string{}
	for name, values := range u.Query() {
		query[strings.ToLower(name)] = values[0]
	}
	for name := range query {
		switch name {
		case "x-amz-signature", "x-goog-signature", "signature", "sig", "token", "access_token", "x-amz-security-token", "key-pair-id", "policy",
			"awsaccesskeyid", "hmac", "jwt", "auth", "key", "apikey", "api_key", "hdnea", "hdnts", "md5", "secret":
			signed = true
		}
	}
	if signed = signed || u.User != nil; !signed {
		return Address(s), time.Time{}, false
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return Address(u.String()), expiry(query), true
}

// expiry reads the end of a signature of the usual stores.
func expiry(query map[string]string) time.Time {
	for _, store := range []string{"x-amz-", "x-goog-"} {
		from, err := time.Parse("20060102T150405Z", query[store+"date"])
		if seconds, err2 := strconv.ParseInt(query[store+"expires"], 10, 32); err == nil && err2 == nil {
			return from.Add(time.Duration(seconds) * time.Second)
		}
	}
	if seconds, err := strconv.ParseInt(query["expires"], 10, 64); err == nil && seconds > 1e9 && seconds < 1e11 {
		return time.Unix(seconds, 0).UTC()
	}
	until, _ := time.Parse(time.RFC3339, query["se"])
	return until.UTC()
}

// recording says that there is one, and where. A long address is left to the
// answer as JSON.
func recording(l *call.Log) string {
	if l.RecordingURL == "" {
		return ""
	}
	text := "recorded (address: response_format=json)"
	address, expires, signed := Recording(l.RecordingURL)
	if len(address) <= 120 {
		text = "recording " + address
	}
	switch {
	case !expires.IsZero():
		text += " (signed until " + expires.Format("2006-01-02 15:04:05") + " UTC; the signature is not shown)"
	case signed:
		text += " (its signature is not shown)"
	}
	return text
}
