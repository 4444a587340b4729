package llm

import "strings"

// ChunkKind says what one step of a streamed answer is.
type ChunkKind uint8

const (
	ChunkStart     ChunkKind = iota + 1 // ID, Model; Usage holds input counts where the upstream tells them first
	ChunkText                           // Text
	ChunkReasoning                      // Text
	ChunkSignature                      // Text: (part of) the signature of the reasoning block that is open
	ChunkRedacted                       // Text: one whole redacted reasoning block
	ChunkToolStart                      // Index, ToolID, ToolName
	ChunkToolArgs                       // Index, Text: a fragment of the argument JSON
	ChunkBlockEnd                       // the open block of an upstream with explicit blocks has ended
	ChunkFinish                         // Finish, RawFinish, StopText
	ChunkUsage                          // Usage
)

// Chunk is one step of a streamed answer. Tool indexes are dense from 0 in order of appearance, whatever numbering the
// upstream uses. A stream is Start, then content in order, then Finish, then (possibly after it) Usage.
type Chunk struct {
	Kind      ChunkKind
	Index     int // tool call number, for ChunkToolStart and ChunkToolArgs
	Text      string
	ToolID    string
	ToolName  string
	ID        string
	Model     string
	Finish    Finish
	RawFinish string
	StopText  string
	Usage     Usage
}

// IsContent reports whether the chunk carries something of the answer itself. Until the first such chunk nothing has
// been promised to the client, so a call may still fall back.
func (c Chunk) IsContent() bool {
	switch c.Kind {
	case ChunkText, ChunkReasoning, ChunkSignature, ChunkRedacted:
		return c.Text != ""
	case ChunkToolStart, ChunkToolArgs:
		return true
	}
	return false
}

// Fold assembles chunks into a Response. The zero value is ready.
type Fold struct {
	resp     Response
	text     strings.Builder // of the open text, reasoning or signature run
	sig      strings.Builder
	open     PartKind
	tools    map[int]*foldTool
	Started  bool // a ChunkStart was seen
	Finished bool // a ChunkFinish was seen
	Content  bool // something of the answer was seen
}

type foldTool struct {
	part int // index in resp.Parts
	args strings.Builder
}

// Add takes the next chunk.
func (f *Fold) Add(c Chunk) {
	f.Content = f.Content || c.IsContent()
	switch c.Kind {
	case ChunkStart:
		f.Started = true
		if c.ID != "" {
			f.resp.ID = c.ID
		}
		if c.Model != "" {
			f.resp.Model = c.Model
		}
		f.resp.Usage = f.resp.Usage.Merge(c.Usage)
	case ChunkText:
		f.run(Text)
		f.text.WriteString(c.Text)
	case ChunkReasoning:
		if f.sig.Len() > 0 { // a signature closes its block
			f.close()
		}
		f.run(Reasoning)
		f.text.WriteString(c.Text)
	case ChunkSignature:
		f.run(Reasoning)
		f.sig.WriteString(c.Text)
	case ChunkRedacted:
		f.close()
		f.resp.Parts = append(f.resp.Parts, Part{Kind: Reasoning, Redacted: c.Text})
	case ChunkToolStart:
		f.close()
		if f.tools == nil {
			f.tools = map[int]*foldTool{}
		}
		f.tools[c.Index] = &foldTool{part: len(f.resp.Parts)}
		f.resp.Parts = append(f.resp.Parts, Part{Kind: ToolCall, Call: &Call{ID: c.ToolID, Name: c.ToolName}})
	case ChunkToolArgs:
		if t := f.tools[c.Index]; t != nil {
			t.args.WriteString(c.Text)
		}
	case ChunkBlockEnd:
		f.close()
	case ChunkFinish:
		f.close()
		f.Finished = true
		f.resp.Finish, f.resp.RawFinish, f.resp.StopText = c.Finish, c.RawFinish, c.StopText
	case ChunkUsage:
		f.resp.Usage = f.resp.Usage.Merge(c.Usage)
	}
}

// Response is everything seen so far. It may be called at any point, also after a cut stream.
func (f *Fold) Response() Response {
	f.close()
	for _, t := range f.tools {
		f.resp.Parts[t.part].Call.Args = t.args.String()
	}
	return f.resp
}

func (f *Fold) run(k PartKind) {
	if f.open != k {
		f.close()
		f.open = k
	}
}

func (f *Fold) close() {
	if f.open != "" && (f.text.Len() > 0 || f.sig.Len() > 0) {
		f.resp.Parts = append(f.resp.Parts, Part{Kind: f.open, Text: f.text.String(), Signature: f.sig.String()})
	}
	f.open = ""
	f.text.Reset()
	f.sig.Reset()
}
