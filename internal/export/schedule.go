package export

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/tenant"
)

// Every is how often a schedule runs.
type Every string

const (
	Hourly Every = "hourly" // a few minutes after the hour
	Daily  Every = "daily"  // a few minutes after midnight UTC
)

// Kind is where files go.
type Kind string

const (
	Disk Kind = "disk"
	S3   Kind = "s3"
)

// Target is a place for files. Of a disk target, Path is an absolute folder; of S3, Bucket and Prefix. An empty Endpoint is
// AWS. Secret is only set between a caller and the seal.
type Target struct {
	Kind        Kind
	Path        string
	Bucket      string
	Prefix      string // also of a disk target
	Region      string
	Endpoint    string
	PathStyle   bool
	AccessKeyID string
	Secret      string
	Sealed      string // the secret as it is stored
}

// Schedule exports a project, or what a filter selects of it, hour by hour.
type Schedule struct {
	Project tenant.ProjectID
	ID      string
	Name    string
	Filter  string
	Every   Every
	Bodies  bool
	Enabled bool
	Target  Target
	Owner   string
	Created time.Time
	Updated time.Time
	Last    Run // the newest; zero before the first
}

// Run is how one run ended. Rows, Bytes and Files are what it wrote.
type Run struct {
	Time  time.Time
	Took  time.Duration
	Error string // "" if all went well
	Rows  int64
	Bytes int64
	Files int
}

// Part is a file that a schedule has written: the spans of an hour. Print tells whether the hour has changed since.
type Part struct {
	Hour  time.Time
	Print string
	Rows  int64
	Bytes int64
}

// Store keeps schedules and what they have written. Every call names a project; a schedule of another one is
// fault.NotFound.
type Store interface {
	CreateExport(ctx context.Context, s Schedule) error
	Export(ctx context.Context, p tenant.ProjectID, id string) (Schedule, error)
	// Exports returns those of a project by name; "" is all projects.
	Exports(ctx context.Context, p tenant.ProjectID) ([]Schedule, error)
	// UpdateExport leaves Last as it is.
	UpdateExport(ctx context.Context, s Schedule) error
	// DeleteExport also forgets the parts.
	DeleteExport(ctx context.Context, p tenant.ProjectID, id string) error
	SetExportRun(ctx context.Context, p tenant.ProjectID, id string, r Run) error
	Parts(ctx context.Context, p tenant.ProjectID, id string) ([]Part, error)
	// PutPart adds or replaces the part of an hour. It is fault.NotFound if the schedule is gone.
	PutPart(ctx context.Context, p tenant.ProjectID, id string, part Part) error
	// ForgetParts makes the next run write everything again.
	ForgetParts(ctx context.Context, p tenant.ProjectID, id string) error
}

const maxName = 200

// check finds what is wrong with a schedule and brings it into its usual form.
func (s *Schedule) check() error {
	switch {
	case s.Name == "" || len(s.Name) > maxName:
		return fault.Bad("name", "name must have 1 to %d bytes", maxName)
	case s.Every != Hourly && s.Every != Daily:
		return fault.Bad("every", "every is hourly or daily")
	}
	if _, err := query.Parse(s.Filter); err != nil {
		return err
	}
	return s.Target.check()
}

func (t *Target) check() error {
	prefix, err := cleanPrefix(t.Prefix)
	if err != nil {
		return err
	}
	t.Prefix = prefix
	switch t.Kind {
	case Disk:
		return t.checkDisk()
	case S3:
		return t.checkS3()
	}
	return fault.Bad("target.kind", "target.kind is disk or s3")
}

func cleanPrefix(p string) (string, error) {
	p = strings.Trim(p, "/")
	if p == "" {
		return "", nil
	}
	if len(p) > 500 || path.Clean(p) != p || strings.ContainsAny(p, "\\\x00") || slices.Contains(strings.Split(p, "/"), "..") {
		return "", fault.Bad("target.prefix", "target.prefix must be a plain relative path")
	}
	return p, nil
}

func (t *Target) checkDisk() error {
	if !filepath.IsAbs(t.Path) || strings.ContainsRune(t.Path, 0) {
		return fault.Bad("target.path", "target.path must be an absolute folder")
	}
	*t = Target{Kind: Disk, Path: filepath.Clean(t.Path), Prefix: t.Prefix}
	return nil
}

func (t *Target) checkS3() error {
	t.Path = ""
	if t.Bucket == "" || len(t.Bucket) > 255 || strings.ContainsAny(t.Bucket, "/ \x00") {
		return fault.Bad("target.bucket", "target.bucket must be the name of a bucket")
	}
	if t.Endpoint == "" {
		if t.Region == "" {
			return fault.Bad("target.region", "target.region is required where no endpoint is given")
		}
		return nil
	}
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return fault.Bad("target.endpoint", "target.endpoint must be a URL such as https://s3.example.com")
	}
	return nil
}

// sameFiles reports that two versions of a schedule write the same files: what is written needs no repeat.
func sameFiles(a, b Schedule) bool {
	a.Target.Secret, b.Target.Secret, a.Target.Sealed, b.Target.Sealed, a.Target.AccessKeyID, b.Target.AccessKeyID = "", "", "", "", "", ""
	return a.Target == b.Target && a.Filter == b.Filter && a.Bodies == b.Bodies
}

// fileName is where the spans of an hour lie, in the form that readers call Hive's.
func (s *Schedule) fileName(hour time.Time) string {
	hour = hour.UTC()
	return path.Join(s.Target.Prefix, "project="+url.PathEscape(string(s.Project)), "date="+hour.Format(time.DateOnly), fmt.Sprintf("part-%02d.parquet", hour.Hour()))
}

// grace is how long an hour is left to its late spans before it is written the first time.
const grace = 5 * time.Minute

// due is the newest moment up to now at which the schedule should have run.
func (s *Schedule) due(now time.Time) time.Time {
	period := time.Hour
	if s.Every == Daily {
		period = 24 * time.Hour
	}
	return now.Add(-grace).Truncate(period).Add(grace)
}

// printOf tells one state of an hour's spans from another.
func printOf(f query.Figures) string {
	b, err := json.Marshal([]any{f.Calls, f.Errors, f.Cost, f.Usage})
	if err != nil {
		return ""
	}
	return string(b)
}
