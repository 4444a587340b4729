package app

import (
	"weir/internal/llm"
	"weir/internal/replay"
	"weir/internal/surface/anthropic"
	"weir/internal/surface/openai"
)

// newReplay sends recorded calls again, through the gateway as a client would.
func (a *App) newReplay() *replay.Service {
	return replay.New(replay.Deps{
		Spans: a.query.Engine, Bodies: a.query.bodies, Do: a.gateway.Do,
		Serves: func(model string) error {
			_, err := a.gateway.Table().Find(model)
			return err
		},
		Dialects: map[llm.Dialect]replay.Dialect{llm.OpenAIChat: openai.CallOf, llm.AnthropicMessages: anthropic.CallOf},
	})
}
