package llm

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
)

// WhyUnreachable is what may be told of a transport's error: the kind of trouble, which an operator needs, without
// addresses and names, which a client need not know. It starts with ": ", or is empty for trouble of no known kind.
func WhyUnreachable(err error) string {
	var (
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		dns     *net.DNSError
		op      *net.OpError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return ": the proxy could not be reached"
	case errors.As(err, &unknown):
		return ": its TLS certificate is signed by an unknown authority; name the authority with network.ca_file"
	case errors.As(err, &host):
		return ": its TLS certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ": its TLS certificate has expired or is not valid yet"
	case errors.As(err, &verify):
		return ": its TLS certificate is not valid"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return ": it does not speak TLS at this address"
	case errors.As(err, &alert):
		return ": it refused the TLS handshake"
	case errors.As(err, &dns):
		return ": its name could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return ": connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ": connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return ": no route to it"
	}
	return ""
}
