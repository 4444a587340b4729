package fakeupstream

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// routeBedrock reads /model/{id}/{operation}; the id is one escaped path segment.
func routeBedrock(p string) (target, bool) {
	seg := strings.Split(strings.TrimPrefix(p, "/model/"), "/")
	if len(seg) != 2 {
		return target{}, false
	}
	id, err := url.PathUnescape(seg[0])
	if err != nil {
		return target{}, false
	}
	switch seg[1] {
	case "converse":
		return target{wire: "converse", op: opChat, model: id, dialect: converse{}}, true
	case "converse-stream":
		return target{wire: "converse", op: opChat, model: id, stream: true, dialect: converse{}}, true
	case "count-tokens":
		return target{wire: "converse", op: opCount, model: id, dialect: converse{}}, true
	case "invoke":
		return target{wire: "invoke", op: opChat, model: id, dialect: invoke{}}, true
	case "invoke-with-response-stream":
		return target{wire: "invoke", op: opChat, model: id, stream: true, dialect: invoke{}}, true
	}
	return target{}, false
}

// bedrock is what Converse and InvokeModel share: credentials, error envelope, stream frames.
type bedrock struct{}

func (bedrock) streamType() string { return "application/vnd.amazon.eventstream" }
func (bedrock) idHeader() string   { return "x-amzn-RequestId" }

func (bedrock) bad(err error) *refusal {
	f := badRequest("The request body is not valid JSON: %s", err)
	f.kind = "SerializationException"
	return f
}

func (bedrock) auth(s *Server, r *http.Request, body []byte) (string, *refusal) {
	h := r.Header.Get("Authorization")
	if h == "" {
		return "", denied("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	if token, ok := strings.CutPrefix(h, "Bearer "); ok {
		if !s.knows(token) {
			return "", denied("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
		}
		return fingerprint(token), nil
	}
	key, bad := s.verify(r, body)
	return fingerprint(key), bad
}

// bedrockKinds are the exception names by status.
var bedrockKinds = map[int]string{
	400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException", 408: "ModelTimeoutException", 413: "RequestEntityTooLargeException",
	424: "ModelErrorException", 429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException",
}

func (bedrock) refuse(w http.ResponseWriter, id string, f *refusal) {
	kind := f.kind
	if kind == "" {
		kind = bedrockKinds[f.status]
	}
	if kind == "" {
		kind = "InternalServerException"
	}
	w.Header().Set("X-Amzn-ErrorType", kind+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	writeError(w, "x-amzn-RequestId", id, f.status, obj{"message": f.msg})
}

func (bedrock) count(n int64) []byte { return canon(obj{"inputTokens": n}) }

// exception is a frame whose type names the error: lower camel case, as the service model spells members.
func (bedrock) exception(kind, msg string) []byte {
	if kind == "" {
		kind = "modelStreamErrorException"
	}
	kind = strings.ToLower(kind[:1]) + kind[1:]
	return frame(canon(obj{"message": msg}), ":exception-type", kind, ":content-type", "application/json", ":message-type", "exception")
}

func eventFrame(kind string, payload []byte) []byte {
	return frame(payload, ":event-type", kind, ":content-type", "application/json", ":message-type", "event")
}

// frame encodes one event-stream message; headers come as pairs.
func frame(payload []byte, headers ...string) []byte {
	m := eventstream.Message{Payload: payload}
	for i := 0; i < len(headers); i += 2 {
		m.Headers.Set(headers[i], eventstream.StringValue(headers[i+1]))
	}
	var b bytes.Buffer
	eventstream.NewEncoder().Encode(&b, m) //nolint:errcheck // fails only on oversized headers
	return b.Bytes()
}

// unknownModel is Bedrock's answer to an id it does not know: one wording for well-formed ids, one for others.
func unknownModel(id string) *refusal {
	if strings.HasPrefix(id, "arn:") {
		return notFound("Could not resolve the foundation model from the provided model identifier.")
	}
	return badRequest("The provided model identifier is invalid.")
}
