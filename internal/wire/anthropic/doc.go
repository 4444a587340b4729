// Package anthropic holds the wire form of Anthropic's Messages API and its translation to and from the hub, in both
// directions: requests, answers, stream events, errors. Surfaces, providers (Anthropic itself and Bedrock's InvokeModel)
// and the fake upstream share it. Reference: https://docs.anthropic.com/en/api/messages
package anthropic
