package app

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"weir/internal/auth"
	"weir/internal/config"
	"weir/internal/store/sqlite"
)

// linkLife is how long a login link from the command line works.
const linkLife = 5 * time.Minute

// LoginURL prints a link that logs a user in once. The server may be running or not.
func LoginURL(ctx context.Context, o Options, user string) error {
	return o.withRows(func(c *config.Config, rows *sqlite.Store) error {
		token, err := auth.CreateLoginLink(ctx, rows, user, linkLife, time.Now().UTC())
		if err != nil {
			return err
		}
		fromShell(ctx, rows, "user.login_link", cmp.Or(user, "first administrator"))
		_, err = fmt.Fprintf(o.Out, "%s\nworks once, for %s\n", loginURL(c, token), linkLife)
		return err
	})
}

// ResetPassword gives a user a new password, prints it, and ends the user's sessions.
func ResetPassword(ctx context.Context, o Options, user string) error {
	return o.withRows(func(_ *config.Config, rows *sqlite.Store) error {
		password, err := auth.ResetPassword(ctx, rows, user, "")
		if err != nil {
			return err
		}
		fromShell(ctx, rows, "user.password", cmp.Or(user, "first administrator"))
		_, err = fmt.Fprintf(o.Out, "new password: %s\n", password)
		return err
	})
}

// Reindex removes the columnar index; the next start rebuilds it from the spans.
func Reindex(_ context.Context, o Options) error {
	c, _, err := o.load()
	if err != nil {
		return err
	}
	lock := filepath.Join(c.Data, truthDir, "LOCK")
	if _, err := os.Stat(lock); err != nil {
		return fmt.Errorf("no data under %s", c.Data)
	}
	s, err := openStores(c.Data, nopLog())
	if err != nil {
		return fmt.Errorf("stop the server first: %w", err)
	}
	if err := s.close(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(c.Data, indexDir)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.Out, "index removed; the next start rebuilds it")
	return err
}

func (o Options) withRows(do func(*config.Config, *sqlite.Store) error) error {
	c, _, err := o.load()
	if err != nil {
		return err
	}
	path := filepath.Join(c.Data, rowsFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("no data under %s; start the server once, or name its folder with --data", c.Data)
	}
	rows, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	defer rows.Close()
	return do(&c, rows)
}

// baseURL is where users reach this server: the public URL, or the first listen address as seen from this machine.
func baseURL(c *config.Config) string {
	if c.Server.PublicURL != "" {
		return strings.TrimRight(c.Server.PublicURL, "/")
	}
	host, port, _ := net.SplitHostPort(c.Server.Listen[0])
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + strings.TrimRight(c.Server.BasePath, "/")
}

func loginURL(c *config.Config, token string) string { return baseURL(c) + "/ui/login?token=" + token }
