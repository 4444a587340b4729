package bedrock

import (
	"context"
	"errors"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/anthropic"
	wire "weir/internal/wire/bedrock"
)

// CountTokens asks the service, which charges nothing for it, to count the tokens of a request.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
func (u *Upstream) CountTokens(ctx context.Context, a *gateway.Attempt) (int64, error) {
	in, err := u.countInput(a)
	if err != nil {
		return 0, err
	}
	body, err := jsonx.Marshal(wire.CountTokensRequest{Input: in})
	if err != nil {
		return 0, invalid("", "the request could not be written as JSON")
	}
	// Counting mostly wants the foundation model's id and refuses that of a cross-region profile; for some models it is
	// the other way round. https://github.com/BerriAI/litellm/issues/34272
	n, err := u.countAs(ctx, u.foundationModel(), body)
	var refused *llm.Error
	if u.foundationModel() != u.model && errors.As(err, &refused) && (refused.Status == 400 || refused.Status == 404) {
		return u.countAs(ctx, u.model, body)
	}
	return n, err
}

func (u *Upstream) countAs(ctx context.Context, model string, body []byte) (int64, error) {
	at := *u
	at.model = model
	x, err := at.send(ctx, "count-tokens", acceptJSON, body)
	if err != nil {
		return 0, err
	}
	defer x.close()
	answer, err := x.all()
	if err != nil {
		return 0, err
	}
	n := gjson.GetBytes(answer, "inputTokens")
	if n.Type != gjson.Number {
		return 0, broken(llm.TypeMalformed, "the answer holds no token count", nil)
	}
	return count(n.Int()), nil
}

func (u *Upstream) countInput(a *gateway.Attempt) (wire.CountTokensInput, error) {
	if a.Native != nil {
		return wire.CountTokensInput{InvokeModel: &wire.InvokeBody{Body: withMaxTokens(invokeBody(a, false))}}, nil
	}
	e, err := u.encode(a)
	if err != nil {
		return wire.CountTokensInput{}, err
	}
	return wire.CountTokensInput{Converse: &wire.CountConverse{
		Messages: e.out.Messages, System: e.out.System, ToolConfig: e.out.ToolConfig,
		AdditionalModelRequestFields: e.out.AdditionalModelRequestFields,
	}}, nil
}

// withMaxTokens completes a body meant for Anthropic's count_tokens, where max_tokens is unknown; as a body of
// InvokeModel it must have it, above any thinking budget.
func withMaxTokens(body []byte) []byte {
	if gjson.GetBytes(body, "max_tokens").Exists() {
		return body
	}
	n := gjson.GetBytes(body, "thinking.budget_tokens").Int() + 1
	return anthropic.PatchNative(body, anthropic.Patch{Set: []anthropic.Field{{Name: "max_tokens", Raw: jsonx.MustMarshal(n)}}})
}

// foundationModel is the model without the region prefix of a cross-region profile, which counting does not take.
func (u *Upstream) foundationModel() string {
	if strings.HasPrefix(u.model, "arn:") {
		return u.model
	}
	for _, vendor := range []string{"anthropic.", "amazon.", "openai."} {
		if i := strings.Index(u.model, "."+vendor); i > 0 {
			return u.model[i+1:]
		}
	}
	return u.model
}
