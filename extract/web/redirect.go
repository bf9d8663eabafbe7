package web

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow gives the next hop, if we may go there.
func (d *download) follow(hop *url.URL, location string) (*url.URL, *Fault) {
	refuse := func(reason Reason, problem, hint string) (*url.URL, *Fault) {
		return nil, &Fault{Reason: reason, URL: bare(hop), Problem: problem, Hint: hint}
	}
	next, err := hop.Parse(location)
	if err != nil { // the cause could show what the query holds
		return refuse(RedirectHost, "the publisher's server redirects to something that is not a valid URL", hintMoved)
	}
	switch {
	case hop.Scheme == "https" && next.Scheme == "http":
		return refuse(Downgrade, fmt.Sprintf("the publisher's server redirects from https to http, where anybody on the way could change the file (%.200q)", bare(next)), hintMoved)
	case next.Scheme != "http" && next.Scheme != "https", next.Hostname() == "":
		return refuse(RedirectHost, "the publisher's server redirects to something that is not a web address", hintMoved)
	case next.User != nil:
		return refuse(RedirectHost, "the publisher's server redirects to an address with a user or a password, which are never sent", hintMoved)
	case !d.allowed(next):
		return refuse(RedirectHost, fmt.Sprintf("the publisher's server redirects to the host %.200q, which the source's card does not allow", next.Host),
			"if that host belongs to the publisher, add it to the hosts of the source's card; if not, "+hintInbox)
	}
	return next, nil
}

// allowed reports whether a redirect may go to that host and port.
func (d *download) allowed(next *url.URL) bool {
	host, to := hostName(next.Hostname()), port(next)
	usual := to == usualPort(next)
	if host == hostName(d.start.Hostname()) && (usual || to == port(d.start)) {
		return true
	}
	for _, entry := range d.request.Hosts {
		name, only, err := net.SplitHostPort(entry)
		if err != nil { // a bare name
			name, only = strings.Trim(entry, "[]"), ""
		}
		if host == hostName(name) && (to == only || only == "" && usual) {
			return true
		}
	}
	return false
}

func hostName(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

func port(address *url.URL) string {
	if port := address.Port(); port != "" {
		return port
	}
	return usualPort(address)
}

func usualPort(address *url.URL) string {
	if address.Scheme == "https" {
		return "443"
	}
	return "80"
}

// bare is an address as people may see it: a query can hold a key or a
// signature.
func bare(address *url.URL) string {
	shown := url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path, RawPath: address.RawPath}
	return shown.String()
}
