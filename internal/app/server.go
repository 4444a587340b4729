package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// server serves one handler on all listen addresses, HTTP/1 and h2c: AWS's JavaScript SDK speaks HTTP/2 without TLS.
type server struct {
	http      *http.Server
	listeners []net.Listener
	drain     time.Duration
	wg        sync.WaitGroup
	log       *slog.Logger
}

const (
	headerDeadline = 20 * time.Second
	idleDeadline   = 2 * time.Minute
	maxHeader      = 256 << 10 // agents send long metadata headers
)

// listen binds all addresses, or none: a taken port is an error, never another port.
func listen(addrs []string) ([]net.Listener, error) {
	var out []net.Listener
	for _, a := range addrs {
		l, err := net.Listen("tcp", a)
		if err != nil {
			for _, open := range out {
				_ = open.Close()
			}
			return nil, fmt.Errorf("cannot listen on %s: %w; is another server using it?", a, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// closing closes listeners that no server came to serve; those of a stopped server are closed already.
func closing(ls []net.Listener) service {
	return funcs{stop: func() {
		for _, l := range ls {
			_ = l.Close()
		}
	}}
}

func newServer(listeners []net.Listener, h http.Handler, drain time.Duration, log *slog.Logger) *server {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &server{
		listeners: listeners, drain: drain, log: log,
		http: &http.Server{
			Handler: h, Protocols: &p, ReadHeaderTimeout: headerDeadline, IdleTimeout: idleDeadline, MaxHeaderBytes: maxHeader,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
}

// Start serves in the background.
func (s *server) Start(context.Context) error {
	for _, l := range s.listeners {
		s.wg.Go(func() {
			if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("server ended", "address", l.Addr().String(), "error", err)
			}
		})
	}
	return nil
}

// Stop takes no new connections, lets running requests and streams finish for the drain time, then cuts them.
func (s *server) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), s.drain)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("streams were cut at the end of the drain time", "drain", s.drain)
		_ = s.http.Close()
	}
	s.wg.Wait()
}

// url is the address of the first listener as a browser on this machine would write it.
func (s *server) url() string {
	addr := s.listeners[0].Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}
