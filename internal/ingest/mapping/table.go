package mapping

import (
	"strings"
	"time"

	"weir/internal/span"
)

// dialect is a convention of naming attributes. The order is that of trust: where a span carries several conventions and
// none is its own, the first wins.
type dialect uint8

const (
	langfuse dialect = iota
	mlflow
	openInference
	vercel
	pydantic
	openLLMetry
	genAI
	plain // OpenTelemetry without any convention for models
	dialects
)

var dialectNames = [dialects]string{"langfuse", "mlflow", "openinference", "vercel", "pydantic", "openllmetry", "otel-genai", "otel"}

// field is what an attribute fills. Attributes of one field compete: the span's own dialect first, then the others in
// order of trust, and within a dialect the order of its table.
type field uint8

const (
	fKind field = iota
	fOperation
	fProvider
	fModel
	fRequested
	fResponseID
	fFinish
	fStream
	fInputTokens
	fOutputTokens
	fTotalTokens
	fCacheRead
	fCacheWrite
	fReasoning
	fAudioIn
	fAudioOut
	fUncached // input tokens without the cached ones
	fCost
	fCostIn
	fCostOut
	fFirstToken
	fEndUser
	fSession
	fTags
	fPromptName
	fPromptVersion
	fPrompt // name and version in one value
	fEnvironment
	fRelease
	fTraceName
	fExperiment
	fErrorType
	fErrorText
	fService
	fHTTP
	single // fields before this one take one value

	fUsage    // buckets in one value
	fCosts    // costs in one value
	fMetadata // an object, or one entry of it
	fParams   // an object, or one entry of it
	fLevel
	fPending
	fBody
)

// rule says what one attribute, or a family of them, means.
type rule struct {
	key    string
	field  field
	prefix bool // key is how the names of a family begin
	mark   bool // only this dialect has it
	from   dialect
	order  uint8
	kinds  map[string]span.Kind // of fKind: what values stand for, lower case
	kind   span.Kind            // of fKind: what its mere presence means
	unit   time.Duration        // of fFirstToken: of a number; 0 = a point in time
	output bool                 // of fBody
	at     string               // of fBody: key within the body; "" = the whole body
	shape  shape
	name   string // of fParams and fMetadata: the entry's name; "" = what follows the prefix, or the whole object
}

// shape is what the value of a body looks like.
type shape uint8

const (
	value  shape = iota // JSON, in text or as such, or plain text
	listed              // the same, but under its name only if it is a list
	flat                // a family of attributes with numbers and names between dots
	opaque              // text that is no JSON even if it looks like it
)

// tables hold every rule by its name; families by their first letter.
type tables struct {
	exact    map[string]*rule
	families [256][]*rule
}

var known = build(
	langfuseRules, mlflowRules, openInferenceRules, vercelRules, pydanticRules, openLLMetryRules, genAIRules, plainRules,
)

func build(all ...[]rule) *tables {
	t := &tables{exact: map[string]*rule{}}
	for d, rules := range all {
		for i := range rules {
			r := &rules[i]
			r.from, r.order = dialect(d), uint8(min(i, 255))
			if r.prefix {
				t.families[r.key[0]] = append(t.families[r.key[0]], r)
			} else if t.exact[r.key] == nil { // the dialect that owns a name comes first
				t.exact[r.key] = r
			}
		}
	}
	return t
}

// find returns the rule for an attribute, or nil.
func (t *tables) find(key string) *rule {
	if r := t.exact[key]; r != nil || key == "" {
		return r
	}
	for _, r := range t.families[key[0]] {
		if len(key) > len(r.key) && strings.HasPrefix(key, r.key) {
			return r
		}
	}
	return nil
}
