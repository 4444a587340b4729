package bedrock

import (
	"fmt"
	"net/http"
	"path"
	"strings"

	"weir/internal/clip"
	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

var imageFormats = map[string]string{
	"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp",
}

var documentFormats = map[string]string{
	"application/pdf":    "pdf",
	"application/msword": "doc",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
	"application/vnd.ms-excel": "xls",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
	"text/csv":      "csv",
	"text/html":     "html",
	"text/markdown": "md",
	"text/plain":    "txt",
}

func image(m *llm.Media) (*wire.Image, error) {
	src, err := source(m, "image_url")
	if err != nil {
		return nil, err
	}
	mime := mimeOf(m)
	format, ok := imageFormats[mime]
	if !ok {
		if format, ok = imageFormats["image/"+extension(m)]; !ok {
			return nil, invalid("image_url", fmt.Sprintf("bedrock takes png, jpeg, gif and webp images, not %q", clip.To(mime, 100)))
		}
	}
	return &wire.Image{Format: format, Source: src}, nil
}

func (e *encoder) document(m *llm.Media) (*wire.Document, error) {
	src, err := source(m, "file")
	if err != nil {
		return nil, err
	}
	format := documentFormat(m)
	if format == "" {
		return nil, invalid("file", fmt.Sprintf("bedrock does not take documents of type %q", clip.To(mimeOf(m), 100)))
	}
	return &wire.Document{Format: format, Name: e.docs.legal(m.Name), Source: src}, nil
}

// documentFormat goes by the stated type, then by the file name; any other text is txt.
func documentFormat(m *llm.Media) string {
	mime := mimeOf(m)
	if f := documentFormats[mime]; f != "" {
		return f
	}
	ext := extension(m)
	for _, f := range documentFormats {
		if f == ext {
			return f
		}
	}
	if strings.HasPrefix(mime, "text/") || mime == "application/json" {
		return "txt"
	}
	return ""
}

func extension(m *llm.Media) string {
	name := m.Name
	if name == "" {
		name = m.URL
	}
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// source takes inline bytes and S3 addresses. Other URLs are not fetched here: that would let callers reach addresses
// only the gateway can see.
func source(m *llm.Media, field string) (wire.Source, error) {
	switch {
	case m == nil:
		return wire.Source{}, invalid(field, field+" is empty")
	case len(m.Data) > 0:
		return wire.Source{Bytes: m.Data}, nil
	case strings.HasPrefix(m.URL, "s3://"):
		return wire.Source{S3Location: &wire.S3Location{URI: m.URL}}, nil
	case m.URL != "":
		return wire.Source{}, invalid(field, "bedrock does not fetch remote URLs; send "+field+" as a base64 data URL")
	}
	return wire.Source{}, invalid(field, field+" is empty")
}

// mimeOf is the media type without parameters, guessed from the bytes where none is stated.
func mimeOf(m *llm.Media) string {
	mime, _, _ := strings.Cut(m.MIME, ";")
	if mime == "" && len(m.Data) > 0 {
		mime, _, _ = strings.Cut(http.DetectContentType(m.Data), ";")
	}
	return strings.ToLower(strings.TrimSpace(mime))
}

// docNames are the document names of one request, which must differ.
type docNames map[string]bool

const maxDocName = 180

// legal reduces a file name to the characters Converse takes, single-spaced, and numbers a repeated one.
func (d docNames) legal(name string) string {
	name = strings.TrimSuffix(name, path.Ext(name)) // dots are not taken; the format tells the type
	clean := strings.Join(strings.Fields(strings.Map(docRune, name)), " ")
	clean = strings.TrimSpace(clean[:min(len(clean), maxDocName)])
	if clean == "" {
		clean = "document"
	}
	unique := clean
	for n := 2; d[unique]; n++ {
		unique = fmt.Sprintf("%s (%d)", clean, n)
	}
	d[unique] = true
	return unique
}

func docRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-()[]", r):
		return r
	}
	return ' '
}
