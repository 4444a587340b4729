package bedrock

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

func TestFramesRoundTrip(t *testing.T) {
	var b []byte
	b = AppendEvent(b, EventMessageStart, []byte(`{"role":"assistant"}`))
	b = AppendEvent(b, "later", nil)
	b = AppendException(b, "throttlingException", []byte(`{"message":"slow down"}`))
	want := []Frame{
		{Event: EventMessageStart, Payload: []byte(`{"role":"assistant"}`)}, {Event: "later"},
		{Exception: "throttlingException", Payload: []byte(`{"message":"slow down"}`)},
	}
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(b), "byte by byte": iotest.OneByteReader(bytes.NewReader(b)), "data with EOF": iotest.DataErrReader(bytes.NewReader(b)),
	} {
		f := NewFrameReader(r, 0)
		for i, w := range want {
			got, err := f.Next()
			if err != nil {
				t.Fatalf("%s, frame %d: %v", name, i, err)
			}
			if got.Event != w.Event || got.Exception != w.Exception || !bytes.Equal(got.Payload, w.Payload) {
				t.Errorf("%s, frame %d: %+v", name, i, got)
			}
		}
		if _, err := f.Next(); err != io.EOF {
			t.Errorf("%s: end is %v", name, err)
		}
	}
}

// TestFramesAreAWS reads our frames with the SDK's decoder, and the SDK's with ours.
func TestFramesAreAWS(t *testing.T) {
	m, err := eventstream.NewDecoder().Decode(bytes.NewReader(AppendEvent(nil, "chunk", []byte("{}"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Headers.Get(":message-type").String() != "event" || m.Headers.Get(":event-type").String() != "chunk" || string(m.Payload) != "{}" {
		t.Errorf("%+v", m)
	}
	var b bytes.Buffer
	theirs := eventstream.Message{Payload: []byte("")}
	theirs.Headers.Set(":message-type", eventstream.StringValue("error"))
	theirs.Headers.Set(":error-code", eventstream.StringValue("InternalError"))
	theirs.Headers.Set(":error-message", eventstream.StringValue("broken"))
	if err := eventstream.NewEncoder().Encode(&b, theirs); err != nil {
		t.Fatal(err)
	}
	f, err := NewFrameReader(&b, 0).Next()
	if err != nil || f.Exception != "InternalError" || f.Message != "broken" {
		t.Errorf("%+v %v", f, err)
	}
}

func TestBadFrames(t *testing.T) {
	good := AppendEvent(nil, EventMetadata, []byte(`{"usage":{}}`))
	flip := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		in   []byte
		max  int
		want error
	}{
		"html":              {[]byte("<html><body>It works!</body></html>"), 0, ErrFrame},
		"prelude checksum":  {flip(9), 0, ErrFrame},
		"message checksum":  {flip(len(good) - 1), 0, ErrFrame},
		"payload":           {flip(len(good) - 6), 0, ErrFrame},
		"too long":          {good, len(good) - 1, ErrTooLong},
		"half a prelude":    {good[:5], 0, io.ErrUnexpectedEOF},
		"half a frame":      {good[:len(good)-3], 0, io.ErrUnexpectedEOF},
		"exactly the limit": {good, len(good), nil},
	} {
		if _, err := NewFrameReader(bytes.NewReader(c.in), c.max).Next(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestBuffered(t *testing.T) {
	one := AppendEvent(nil, "a", []byte("{}"))
	f := NewFrameReader(strings.NewReader(string(one)+string(one)+string(one[:10])), 0)
	for i, want := range []bool{true, false} {
		if _, err := f.Next(); err != nil {
			t.Fatal(err)
		}
		if f.Buffered() != want {
			t.Errorf("after frame %d: buffered is %v", i, !want)
		}
	}
}

// FuzzFrameReader feeds arbitrary bytes: no panic, no endless loop, and every frame as the SDK's decoder reads it.
func FuzzFrameReader(f *testing.F) {
	f.Add(AppendEvent(AppendException(nil, "x", []byte("{}")), EventMetadata, []byte(`{"usage":{}}`)))
	f.Add([]byte("HTTP/1.1 502 Bad Gateway\r\n\r\n"))
	f.Add(everyHeader(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := NewFrameReader(bytes.NewReader(b), 1<<20), bytes.NewReader(b)
		for {
			fr, err := ours.Next()
			m, theirErr := eventstream.NewDecoder().Decode(theirs, nil)
			if err != nil {
				return
			}
			if theirErr != nil {
				t.Fatalf("taken, but the SDK says: %v", theirErr)
			}
			compareFrames(t, fr, m)
		}
	})
}

// FuzzFrameHeaders puts arbitrary headers into frames whose sums are right.
func FuzzFrameHeaders(f *testing.F) {
	whole := everyHeader(f)
	f.Add(whole[preludeLen:preludeLen+binary.BigEndian.Uint32(whole[4:])], []byte("{}"))
	f.Fuzz(func(t *testing.T, headers, payload []byte) {
		b := make([]byte, preludeLen, minFrame+len(headers)+len(payload))
		binary.BigEndian.PutUint32(b, uint32(cap(b)))
		binary.BigEndian.PutUint32(b[4:], uint32(len(headers)))
		binary.BigEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[:8]))
		b = append(append(b, headers...), payload...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
		fr, err := NewFrameReader(bytes.NewReader(b), 0).Next()
		m, theirErr := eventstream.NewDecoder().Decode(bytes.NewReader(b), nil)
		if err != nil {
			return // the SDK's lets some torn headers pass
		}
		if theirErr != nil {
			t.Fatalf("taken, but the SDK says: %v", theirErr)
		}
		compareFrames(t, fr, m)
	})
}

func compareFrames(t *testing.T, fr Frame, m eventstream.Message) {
	t.Helper()
	if !bytes.Equal(fr.Payload, m.Payload) {
		t.Fatalf("payload %q, the SDK's %q", fr.Payload, m.Payload)
	}
	get := func(name string) string { // of a repeated header, the SDK's Set keeps the last, its decoder all
		out := ""
		for _, h := range m.Headers {
			if h.Name == name {
				out = ""
				if s, ok := h.Value.(eventstream.StringValue); ok {
					out = string(s)
				}
			}
		}
		return out
	}
	if get(messageType) == "event" && fr.Event != get(":event-type") {
		t.Fatalf("event %q, the SDK's %q", fr.Event, get(":event-type"))
	}
}

// everyHeader is a frame with a header of each type.
func everyHeader(t testing.TB) []byte {
	m := eventstream.Message{Payload: []byte("{}")}
	for name, v := range map[string]eventstream.Value{
		"true": eventstream.BoolValue(true), "false": eventstream.BoolValue(false), "i8": eventstream.Int8Value(1),
		"i16": eventstream.Int16Value(1), "i32": eventstream.Int32Value(1), "i64": eventstream.Int64Value(1),
		"bytes": eventstream.BytesValue("abc"), "time": eventstream.TimestampValue(time.Unix(1, 0)), "uuid": eventstream.UUIDValue{1},
		messageType: eventstream.StringValue("event"), ":event-type": eventstream.StringValue("chunk"),
	} {
		m.Headers.Set(name, v)
	}
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryHeaderType(t *testing.T) {
	f, err := NewFrameReader(bytes.NewReader(everyHeader(t)), 0).Next()
	if err != nil || f.Event != EventChunk {
		t.Errorf("%+v %v", f, err)
	}
}

func BenchmarkFrameReader(b *testing.B) {
	one := AppendEvent(nil, EventContentBlockDelta, []byte(`{"contentBlockIndex":0,"delta":{"text":"a few words "}}`))
	data := bytes.Repeat(one, 200)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		f := NewFrameReader(bytes.NewReader(data), 0)
		for {
			if _, err := f.Next(); err != nil {
				break
			}
		}
	}
}
