package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/export"
)

// ExportSchedule writes a project's spans to files, hour by hour.
type ExportSchedule struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Filter  string       `json:"filter"`
	Every   string       `json:"every" enum:"hourly,daily"`
	Format  string       `json:"format" enum:"parquet"`
	Target  ExportTarget `json:"target"`
	Bodies  bool         `json:"bodies" doc:"requests and answers too"`
	Enabled bool         `json:"enabled"`
	LastRun *ExportRun   `json:"last_run" doc:"null before the first"`
	Owner   string       `json:"owner"`
	Created string       `json:"created" format:"date-time"`
	Updated string       `json:"updated" format:"date-time"`
}

// ExportTarget is where the files go.
type ExportTarget struct {
	Kind        string `json:"kind" enum:"disk,s3"`
	Path        string `json:"path" doc:"of disk: an absolute folder that export.folders allows"`
	Bucket      string `json:"bucket"`
	Prefix      string `json:"prefix"`
	Region      string `json:"region"`
	Endpoint    string `json:"endpoint" doc:"URL of another server than AWS"`
	PathStyle   bool   `json:"path_style" doc:"the bucket is part of the path, not of the host name"`
	AccessKeyID string `json:"access_key_id"`
	HasSecret   bool   `json:"has_secret"`
}

// ExportRun is how a run ended.
type ExportRun struct {
	Time   string  `json:"time" format:"date-time"`
	TookMS float64 `json:"took_ms"`
	OK     bool    `json:"ok"`
	Error  string  `json:"error"`
	Rows   int64   `json:"rows" doc:"written by this run"`
	Bytes  int64   `json:"bytes"`
	Files  int     `json:"files"`
}

// ExportScheduleList holds the project's schedules, by name.
type ExportScheduleList struct {
	Items []ExportSchedule `json:"items" nullable:"false"`
}

func (s *Surface) exports() {
	register(s, op{method: http.MethodGet, path: "/exports", id: "listExports", doc: "Scheduled exports"}, s.listExports)
	register(s, op{method: http.MethodPost, path: "/exports", id: "createExport", doc: "Schedule an export", access: edge.Admin, status: http.StatusCreated}, s.createExport)
	register(s, op{method: http.MethodGet, path: "/exports/{id}", id: "getExport", doc: "One scheduled export"}, s.getExport)
	register(s, op{method: http.MethodPatch, path: "/exports/{id}", id: "updateExport", doc: "Change the fields given", access: edge.Admin}, s.updateExport)
	register(s, op{method: http.MethodDelete, path: "/exports/{id}", id: "deleteExport", doc: "Delete a schedule; its files stay", access: edge.Admin, status: http.StatusNoContent}, s.deleteExport)
	register(s, op{method: http.MethodPost, path: "/exports/{id}/run", id: "runExport", doc: "Run a schedule now, up to now", access: edge.Admin, status: http.StatusAccepted}, s.runExport)
}

type exportFields struct {
	Name    *string             `json:"name,omitempty" maxLength:"200"`
	Filter  *string             `json:"filter,omitempty" maxLength:"8192"`
	Every   *string             `json:"every,omitempty" enum:"hourly,daily"`
	Format  *string             `json:"format,omitempty" enum:"parquet"`
	Target  *exportTargetFields `json:"target,omitempty"`
	Bodies  *bool               `json:"bodies,omitempty"`
	Enabled *bool               `json:"enabled,omitempty"`
	_       struct{}            `additionalProperties:"false"`
}

type exportTargetFields struct {
	Kind        *string  `json:"kind,omitempty" enum:"disk,s3"`
	Path        *string  `json:"path,omitempty" maxLength:"1000"`
	Bucket      *string  `json:"bucket,omitempty" maxLength:"255"`
	Prefix      *string  `json:"prefix,omitempty" maxLength:"500"`
	Region      *string  `json:"region,omitempty" maxLength:"100"`
	Endpoint    *string  `json:"endpoint,omitempty" maxLength:"1000"`
	PathStyle   *bool    `json:"path_style,omitempty"`
	AccessKeyID *string  `json:"access_key_id,omitempty" maxLength:"200"`
	Secret      *string  `json:"secret,omitempty" maxLength:"500" doc:"write-only; left out, the stored one is kept unless endpoint or access_key_id change"`
	HasSecret   *bool    `json:"has_secret,omitempty" doc:"ignored"`
	_           struct{} `additionalProperties:"false"`
}

func (f *exportFields) apply(x *export.Schedule) {
	set(&x.Name, f.Name)
	set(&x.Filter, f.Filter)
	set((*string)(&x.Every), f.Every)
	set(&x.Bodies, f.Bodies)
	set(&x.Enabled, f.Enabled)
	if f.Target != nil {
		f.Target.apply(&x.Target)
	}
}

// apply forgets the stored secret where it would go to somebody else.
func (f *exportTargetFields) apply(t *export.Target) {
	was := *t
	set((*string)(&t.Kind), f.Kind)
	set(&t.Path, f.Path)
	set(&t.Bucket, f.Bucket)
	set(&t.Prefix, f.Prefix)
	set(&t.Region, f.Region)
	set(&t.Endpoint, f.Endpoint)
	set(&t.PathStyle, f.PathStyle)
	set(&t.AccessKeyID, f.AccessKeyID)
	set(&t.Secret, f.Secret)
	if t.Endpoint != was.Endpoint || t.AccessKeyID != was.AccessKeyID {
		t.Sealed = ""
	}
}

func exportOf(x export.Schedule) ExportSchedule {
	t := x.Target
	out := ExportSchedule{
		ID: x.ID, Name: x.Name, Filter: x.Filter, Every: string(x.Every), Format: "parquet", Bodies: x.Bodies, Enabled: x.Enabled, Owner: x.Owner,
		Created: stamp(x.Created), Updated: stamp(x.Updated),
		Target: ExportTarget{
			Kind: string(t.Kind), Path: t.Path, Bucket: t.Bucket, Prefix: t.Prefix, Region: t.Region, Endpoint: t.Endpoint, PathStyle: t.PathStyle,
			AccessKeyID: t.AccessKeyID, HasSecret: t.Sealed != "",
		},
	}
	if r := x.Last; !r.Time.IsZero() {
		out.LastRun = &ExportRun{Time: stamp(r.Time), TookMS: millis(r.Took), OK: r.Error == "", Error: r.Error, Rows: r.Rows, Bytes: r.Bytes, Files: r.Files}
	}
	return out
}

func exportReply(x export.Schedule, err error) (*body[ExportSchedule], error) {
	if err != nil {
		return nil, err
	}
	return reply(exportOf(x))
}

func (s *Surface) listExports(ctx context.Context, _ *struct{}) (*body[ExportScheduleList], error) {
	all, err := s.Exports.List(ctx, edge.Who(ctx))
	if err != nil {
		return nil, err
	}
	out := ExportScheduleList{Items: make([]ExportSchedule, len(all))}
	for i, x := range all {
		out.Items[i] = exportOf(x)
	}
	return reply(out)
}

type createExportInput struct{ Body exportFields }

func (s *Surface) createExport(ctx context.Context, in *createExportInput) (*body[ExportSchedule], error) {
	x := export.Schedule{Every: export.Daily, Enabled: true}
	in.Body.apply(&x)
	x, err := s.Exports.Create(ctx, edge.Who(ctx), x)
	if err == nil {
		s.noted(ctx, "export.create", x.ID, map[string]any{"name": x.Name, "target": string(x.Target.Kind)})
	}
	return exportReply(x, err)
}

func (s *Surface) getExport(ctx context.Context, in *IDInput) (*body[ExportSchedule], error) {
	return exportReply(s.Exports.Get(ctx, edge.Who(ctx), in.ID))
}

type updateExportInput struct {
	IDInput
	Body exportFields
}

func (s *Surface) updateExport(ctx context.Context, in *updateExportInput) (*body[ExportSchedule], error) {
	x, err := s.Exports.Update(ctx, edge.Who(ctx), in.ID, in.Body.apply)
	if err == nil {
		s.noted(ctx, "export.update", x.ID, map[string]any{"name": x.Name, "target": string(x.Target.Kind), "enabled": x.Enabled})
	}
	return exportReply(x, err)
}

func (s *Surface) deleteExport(ctx context.Context, in *IDInput) (*none, error) {
	if err := s.Exports.Delete(ctx, edge.Who(ctx), in.ID); err != nil {
		return nil, err
	}
	s.noted(ctx, "export.delete", in.ID, nil)
	return &none{}, nil
}

func (s *Surface) runExport(ctx context.Context, in *IDInput) (*body[ExportSchedule], error) {
	who := edge.Who(ctx)
	if err := s.Exports.RunNow(ctx, who, in.ID); err != nil {
		return nil, err
	}
	s.noted(ctx, "export.run", in.ID, nil)
	return exportReply(s.Exports.Get(ctx, who, in.ID))
}
