package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"weir/internal/export"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
)

// ExportedSpan is a line of JSONL: a span in full, with its bodies if they were asked for.
type ExportedSpan struct {
	Span
	InputBody  jsonx.Raw `json:"input_body,omitempty"`
	OutputBody jsonx.Raw `json:"output_body,omitempty"`
}

func (s *Surface) exporting() {
	register(s, op{
		method: http.MethodGet, path: "/export", id: "export", media: "application/octet-stream",
		doc: "All selected spans or traces as a file, oldest spans first; the trailer X-Weir-Partial tells if some may be missing",
	}, s.export)
}

type exportInput struct {
	Selection
	View   string `query:"view" enum:"spans,traces" default:"spans" doc:"a row a span, or a row a trace"`
	Format string `query:"format" enum:"jsonl,parquet,csv" default:"jsonl"`
	Bodies bool   `query:"bodies" doc:"requests and answers too; of spans as jsonl or parquet"`
}

// Rows are written at once while the reader keeps up; one that stands still this long is given up.
const exportWriteTime = time.Minute

var exportTypes = map[string]string{"jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet", "csv": "text/csv; charset=utf-8"}

func (s *Surface) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	if in.View == "traces" && in.Bodies {
		return nil, fault.Bad("bodies", "bodies belong to spans; use view=spans")
	}
	if in.Format == "csv" && in.Bodies {
		return nil, fault.Bad("bodies", "csv holds no bodies; use jsonl or parquet")
	}
	if _, _, err := s.Query.Count(ctx, q); err != nil { // what is wrong is said before the file begins
		return nil, err
	}
	a := answerOf(ctx)
	a.direct = true
	return &huma.StreamResponse{Body: func(huma.Context) { s.download(ctx, a.w, in, q) }}, nil
}

// download writes the file. A failure half-way breaks the connection off: a client must not take a part for the whole.
func (s *Surface) download(ctx context.Context, w http.ResponseWriter, in *exportInput, q query.Query) {
	h := w.Header()
	h.Set("Content-Type", exportTypes[in.Format])
	h.Set("Content-Disposition", `attachment; filename="weir-`+in.View+`-`+s.Now().UTC().Format("20060102T150405Z")+`.`+in.Format+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Trailer", "X-Weir-Partial")
	out := bufio.NewWriterSize(&patient{w: w, rc: http.NewResponseController(w)}, 64<<10)
	var partial bool
	var err error
	if in.View == "traces" {
		partial, err = s.exportTraces(ctx, out, in, q)
	} else {
		partial, err = s.exportSpans(ctx, out, in, q)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		answerOf(ctx).err = err
		panic(http.ErrAbortHandler)
	}
	if partial {
		h.Set("X-Weir-Partial", "true")
	}
}

// patient renews the deadline with each write.
type patient struct {
	w  io.Writer
	rc *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.rc.SetWriteDeadline(time.Now().Add(exportWriteTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(b)
}

func (s *Surface) exportSpans(ctx context.Context, w io.Writer, in *exportInput, q query.Query) (bool, error) {
	var out export.Writer = lines{w}
	switch in.Format {
	case "parquet":
		out = export.NewParquet(w)
	case "csv":
		out = export.NewCSV(w)
	}
	partial, err := export.Walk(ctx, s.Query, q, func(sp *span.Span) error {
		it := export.Item{Span: sp}
		if in.Bodies {
			var err error
			if it, err = export.Load(ctx, s.Bodies, sp); err != nil {
				return err
			}
		}
		return out.Write(it)
	})
	return partial, errors.Join(err, out.Close())
}

// lines writes spans as this interface shows them, one a line.
type lines struct{ w io.Writer }

func (l lines) Write(it export.Item) error {
	line := ExportedSpan{Span: spanOf(it.Span), InputBody: bodyLine(it.Input), OutputBody: bodyLine(it.Output)}
	b, err := jsonx.Marshal(line)
	if err != nil {
		return err
	}
	_, err = l.w.Write(append(b, '\n'))
	return err
}

func (l lines) Close() error { return nil }

// bodyLine is a recorded body as a value on one line. What is no JSON, such as an upload, is a string.
func bodyLine(b []byte) jsonx.Raw {
	if b == nil || jsonx.Valid(b) {
		return b
	}
	return jsonx.MustMarshal(string(b))
}

func (s *Surface) exportTraces(ctx context.Context, w io.Writer, in *exportInput, q query.Query) (partial bool, err error) {
	out := export.NewTraces(w, in.Format)
	for p := (query.Page{Limit: query.MaxLimit}); ; {
		got, err := s.Query.Traces(ctx, q, p)
		if err != nil {
			return partial, err
		}
		partial = partial || got.Partial
		for _, t := range got.Traces {
			if in.Format == "jsonl" {
				err = writeLine(w, summaryOf(t))
			} else {
				err = out.Write(t)
			}
			if err != nil {
				return partial, err
			}
		}
		if p.Cursor = got.Cursor; p.Cursor == "" {
			return partial, out.Close()
		}
	}
}

func writeLine(w io.Writer, v any) error {
	b, err := jsonx.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
