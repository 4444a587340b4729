package openai

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"weir/internal/fault"
	"weir/internal/llm"
	wire "weir/internal/wire/openai"
)

// imagePart takes a web address or a data URL. Clients get MIME types wrong often, and strict upstreams refuse them, so
// the type is told from the bytes. LiteLLM's clients also send PDFs this way.
func imagePart(path string, u *wire.ImageURL) (llm.Part, error) {
	if isWeb(u.URL) {
		return llm.Part{Kind: llm.Image, Media: &llm.Media{URL: u.URL, MIME: u.Format}}, nil
	}
	m, err := dataURL(path, u.URL)
	if err != nil {
		return llm.Part{}, err
	}
	if m.MIME == "application/pdf" {
		return llm.Part{Kind: llm.Document, Media: m}, nil
	}
	real := http.DetectContentType(m.Data)
	if !strings.HasPrefix(real, "image/") {
		return llm.Part{}, fault.Bad(path, "the image data in '%s' is not a PNG, JPEG, GIF or WebP image", path)
	}
	m.MIME = real
	return llm.Part{Kind: llm.Image, Media: m}, nil
}

func audioPart(path string, a *wire.InputAudio) (llm.Part, error) {
	data, err := base64.StdEncoding.DecodeString(a.Data)
	if err != nil || len(data) == 0 {
		return llm.Part{}, fault.Bad(path+".data", "'%s.data' is not valid base64", path)
	}
	mime, ok := map[string]string{"wav": "audio/wav", "mp3": "audio/mpeg"}[a.Format]
	if !ok {
		return llm.Part{}, fault.Bad(path+".format", "invalid value for '%s.format': supported are 'wav' and 'mp3'", path)
	}
	return llm.Part{Kind: llm.Audio, Media: &llm.Media{MIME: mime, Data: data}}, nil
}

func filePart(path string, f *wire.File) (llm.Part, error) {
	switch {
	case f.FileData == "" && isWeb(f.FileID):
		return document(&llm.Media{URL: f.FileID, MIME: f.Format, Name: f.Filename}), nil
	case f.FileData == "" && f.FileID != "":
		return llm.Part{}, fault.Bad(path+".file_id", "uploaded files are not available to this model; send the content as '%s.file_data'", path)
	case f.FileData == "":
		return llm.Part{}, fault.Bad(path+".file_data", "missing required parameter: '%s.file_data'", path)
	case strings.HasPrefix(f.FileData, "data:"):
		m, err := dataURL(path+".file_data", f.FileData)
		if err != nil {
			return llm.Part{}, err
		}
		m.Name = f.Filename
		return document(m), nil
	}
	data, err := base64.StdEncoding.DecodeString(f.FileData)
	if err != nil {
		return llm.Part{}, fault.Bad(path+".file_data", "'%s.file_data' is neither a data URL nor valid base64", path)
	}
	mime := f.Format
	if mime == "" {
		mime, _, _ = strings.Cut(http.DetectContentType(data), ";")
	}
	return document(&llm.Media{MIME: mime, Data: data, Name: f.Filename}), nil
}

func document(m *llm.Media) llm.Part {
	kind := llm.Document
	if strings.HasPrefix(m.MIME, "image/") {
		kind = llm.Image
	}
	return llm.Part{Kind: kind, Media: m}
}

func isWeb(u string) bool { return strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") }

// dataURL reads data:[mime][;charset=…][;base64],… (RFC 2397).
func dataURL(path, s string) (*llm.Media, error) {
	rest, ok := strings.CutPrefix(s, "data:")
	head, body, comma := strings.Cut(rest, ",")
	if !ok || !comma {
		return nil, fault.Bad(path, "'%s' must be an http(s) URL or a data URL with base64 content", path)
	}
	mime, params, _ := strings.Cut(head, ";")
	var data []byte
	var err error
	if params == "base64" || strings.HasSuffix(params, ";base64") {
		data, err = base64.StdEncoding.DecodeString(body)
	} else {
		var text string
		text, err = url.PathUnescape(body)
		data = []byte(text)
	}
	if err != nil || len(data) == 0 {
		return nil, fault.Bad(path, "the data URL in '%s' has no valid base64 content", path)
	}
	if mime == "" {
		mime = "text/plain"
	}
	return &llm.Media{MIME: strings.ToLower(mime), Data: data}, nil
}
