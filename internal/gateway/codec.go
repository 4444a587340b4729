package gateway

// StreamCodec is how a surface writes a streamed answer. One codec serves one stream; methods are called in order from
// one goroutine. All append to dst and return it.
type StreamCodec interface {
	// ContentType of the response, e.g. "text/event-stream".
	ContentType() string
	// Append encodes one frame: Data re-framed if set, else Chunks translated.
	Append(dst []byte, f Frame) ([]byte, error)
	// AppendError encodes an error in mid-stream, in the client's dialect, and ends the stream without its normal end.
	AppendError(dst []byte, err error) []byte
	// AppendEnd encodes the normal end, such as "data: [DONE]".
	AppendEnd(dst []byte) []byte
	// KeepAlive is bytes the client ignores, sent while the upstream is silent; nil if the framing has none.
	KeepAlive() []byte
}
