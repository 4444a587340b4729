package api

import (
	"context"
	"strconv"
	"time"

	"weir/internal/clip"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/span"
)

// maxTree is how many spans one answer may hold.
const maxTree = 100_000

// Tree is what the tree of a trace shows of its spans, in order of start, one array per field.
type Tree struct {
	Trace      string      `json:"trace"`
	Total      int         `json:"total" doc:"spans there are"`
	Start      string      `json:"start" format:"date-time" doc:"of the earliest span of the trace"`
	End        string      `json:"end" format:"date-time" doc:"of the latest"`
	Items      TreeColumns `json:"items"`
	NextCursor string      `json:"next_cursor"`
}

// TreeColumns are arrays of equal length.
type TreeColumns struct {
	IDs         []string  `json:"ids" nullable:"false"`
	Parents     []string  `json:"parents" nullable:"false"`
	Names       []string  `json:"names" nullable:"false"`
	Kinds       []string  `json:"kinds" nullable:"false"`
	Statuses    []string  `json:"statuses" nullable:"false"`
	StartsMS    []float64 `json:"starts_ms" nullable:"false" doc:"since start"`
	DurationsMS []float64 `json:"durations_ms" nullable:"false"`
	FirstsMS    []float64 `json:"first_tokens_ms" nullable:"false" doc:"from the span's start to its first token; 0 where there was none"`
	Costs       []float64 `json:"costs_usd" nullable:"false"`
	Tokens      []int64   `json:"tokens" nullable:"false"`
	Models      []string  `json:"models" nullable:"false"`
	Errors      []string  `json:"errors" nullable:"false" doc:"type or text of the error"`
	Covered     []bool    `json:"covered" nullable:"false"`
}

type getTreeInput struct {
	TraceInput
	Limit  int    `query:"limit" minimum:"1" maximum:"100000" default:"100000"`
	Cursor string `query:"cursor" maxLength:"20"`
}

func (s *Surface) getTree(ctx context.Context, in *getTreeInput) (*body[Tree], error) {
	from := 0
	if in.Cursor != "" {
		var err error
		if from, err = strconv.Atoi(in.Cursor); err != nil || from < 0 {
			return nil, fault.Bad("cursor", "cursor is malformed; take next_cursor of the page before")
		}
	}
	spans, err := s.Query.Outline(ctx, edge.Who(ctx).Project, in.Trace)
	if err != nil {
		return nil, err
	}
	start, end := spans[0].Start, spans[0].End
	for _, o := range spans {
		if o.End.After(end) {
			end = o.End
		}
	}
	out := Tree{Trace: in.Trace, Total: len(spans), Start: stamp(start), End: stamp(end)}
	from = min(from, len(spans))
	to := min(from+min(in.Limit, maxTree), len(spans))
	if to < len(spans) {
		out.NextCursor = strconv.Itoa(to)
	}
	// Times count from what the answer says, which is cut to the millisecond.
	out.Items = treeColumns(spans[from:to], start.Truncate(time.Millisecond))
	return reply(out)
}

func treeColumns(spans []span.Outline, start time.Time) TreeColumns {
	n := len(spans)
	c := TreeColumns{
		IDs: make([]string, n), Parents: make([]string, n), Names: make([]string, n), Kinds: make([]string, n), Statuses: make([]string, n),
		StartsMS: make([]float64, n), DurationsMS: make([]float64, n), FirstsMS: make([]float64, n), Costs: make([]float64, n), Tokens: make([]int64, n), Models: make([]string, n),
		Errors: make([]string, n), Covered: make([]bool, n),
	}
	for i, o := range spans {
		c.IDs[i], c.Parents[i], c.Names[i], c.Kinds[i], c.Statuses[i] = o.ID, o.Parent, o.Name, string(o.Kind), string(o.Status)
		c.StartsMS[i], c.DurationsMS[i] = millis(o.Start.Sub(start)), millis(o.End.Sub(o.Start))
		c.FirstsMS[i] = millis(o.FirstToken)
		c.Costs[i], c.Tokens[i], c.Models[i], c.Errors[i], c.Covered[i] = o.Cost.USD(), o.Tokens, o.Model, clip.To(o.Error, 60), o.Covered
	}
	return c
}
