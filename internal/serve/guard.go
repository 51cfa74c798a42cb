package serve

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// A guard looks at where a request says it is going and where it comes from,
// before anything else. A page in a browser on this machine or in its network
// may send requests here under its own name (DNS rebinding) or the server's
// (cross-site); Host gives the first away and Origin the second.
type guard struct {
	hosts   []string // lower case, with or without a port
	origins []string // scheme://host[:port], lower case
}

func newGuard(hosts, origins []string) (guard, error) {
	var g guard
	for _, h := range hosts {
		if h == "" || strings.ContainsAny(h, "/*@ ") {
			return g, wrong("--allowed-host %q is no host name such as mcp.example.com", h)
		}
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return g, wrong("--allowed-origin %q is no origin such as https://app.example.com", o)
		}
		g.origins = append(g.origins, strings.ToLower(o))
	}
	return g, nil
}

// host says whether r means this server.
func (g guard) host(r *http.Request) bool {
	whole := strings.ToLower(r.Host)
	name, port, err := net.SplitHostPort(whole)
	if err != nil {
		name, port = strings.Trim(whole, "[]"), ""
	}
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	if loopbackHost(name) || slices.Contains(g.hosts, whole) || slices.Contains(g.hosts, name) {
		return true
	}
	// A name can be made to lead anywhere, an address cannot.
	ip, err := netip.ParseAddr(name)
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return err == nil && ok && ip.Unmap() == local.AddrPort().Addr().Unmap()
}

// origin says whether the page that sent r, if one did, may.
func (g guard) origin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	origin := strings.ToLower(values[0])
	if len(values) > 1 {
		return false
	}
	if slices.Contains(g.origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Host == strings.ToLower(r.Host) && u.Path == "" && u.User == nil
}

// cors lets the browser of an allowed page read the answer, and answers its
// question beforehand; it says whether that was all r wanted. It asks no
// token, which such a question never carries.
func (g guard) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-Id, Traceparent, Tracestate")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
