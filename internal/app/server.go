package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/edge"
)

// server serves one handler on all listen addresses, HTTP/1 and h2c: AWS's JavaScript SDK speaks HTTP/2 without TLS.
type server struct {
	http      *http.Server
	front     *edge.Front
	listeners []net.Listener
	drain     time.Duration
	wg        sync.WaitGroup
	active    atomic.Int64 // requests being handled
	log       *slog.Logger
}

const (
	// afterCut is how long handlers whose connection was cut may take to hand over their record.
	afterCut       = 5 * time.Second
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
	s := &server{listeners: listeners, drain: drain, log: log}
	s.http = &http.Server{
		Handler: s.counted(h), Protocols: &p, ReadHeaderTimeout: headerDeadline, IdleTimeout: idleDeadline, MaxHeaderBytes: maxHeader,
		ConnContext: edge.ConnContext,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	s.front = edge.NewFront(s.http.Handler, headerDeadline, idleDeadline, log)
	return s
}

// counted is h, with the requests in it counted: net/http does not wait for handlers whose connection it closes.
func (s *server) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.active.Add(1)
		defer s.active.Add(-1)
		h.ServeHTTP(w, r)
	})
}

// Start serves in the background.
func (s *server) Start(context.Context) error {
	for _, l := range s.listeners {
		s.wg.Go(func() {
			if err := s.http.Serve(s.front.Listener(l)); !errors.Is(err, http.ErrServerClosed) {
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
	s.front.Drain()
	if err := errors.Join(s.http.Shutdown(ctx), s.front.Wait(ctx)); err != nil {
		s.log.Warn("streams were cut at the end of the drain time", "drain", s.drain)
		_ = s.http.Close()
		s.front.Close()
		s.settle()
	}
	s.wg.Wait()
}

// settle waits for handlers that were cut, since what they record needs the services that stop next.
func (s *server) settle() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(afterCut); s.active.Load() > 0; {
		select {
		case <-tick.C:
		case <-end:
			return
		}
	}
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
