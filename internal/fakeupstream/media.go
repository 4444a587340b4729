package fakeupstream

import (
	"bytes"
	"encoding/base64"
)

// magic are the first bytes a format must have.
var magic = map[string][]byte{
	"png": []byte("\x89PNG\r\n\x1a\n"), "jpeg": []byte("\xff\xd8\xff"), "gif": []byte("GIF8"), "webp": []byte("RIFF"), "pdf": []byte("%PDF-"),
}

// media problems
const (
	badBase64 = iota + 1
	badMagic
)

// checkMedia returns what is wrong with inline media of a format, or 0. A format without magic bytes is text.
func checkMedia(format, data string) int {
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil || len(b) == 0 {
		return badBase64
	}
	if !bytes.HasPrefix(b, magic[format]) || format == "webp" && (len(b) < 12 || string(b[8:12]) != "WEBP") {
		return badMagic
	}
	return 0
}
