// The Vercel AI SDK with its telemetry on. Names of the cases to run are arguments.
import { createOpenAI } from '@ai-sdk/openai'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { NodeTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { embedMany, generateText, stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.4.2', 'deployment.environment.name': 'staging' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
})
provider.register()

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY ?? 'sk-fake' })
const embedder = createOpenAI({ baseURL: process.env.EMBED_BASE_URL ?? process.env.OPENAI_BASE_URL, apiKey: 'sk-fake' })
const model = openai.chat('gpt-4o')
const telemetry = { isEnabled: true, functionId: 'greeting', metadata: { userId: 'u-17', sessionId: 's-17', plan: 'pro', tags: ['shop', 'eu'] } }
const common = { model, maxRetries: 0, maxOutputTokens: 200, experimental_telemetry: telemetry }

const cases = {
  simple: () => generateText({ ...common, system: 'You are brief.', prompt: 'Say hello to 日本', temperature: 0.5 }),
  streaming: async () => {
    for await (const _ of streamText({ ...common, prompt: 'Say hello' }).textStream);
  },
  tools: () =>
    generateText({
      ...common,
      prompt: 'What is the weather in Kyoto? vercel [[fake: tool=weather times=1]]',
      stopWhen: stepCountIs(3),
      tools: { weather: tool({ description: 'Weather of a city', inputSchema: z.object({ city: z.string() }), execute: async () => ({ sky: 'clear', degrees: 21 }) }) },
    }),
  error: () =>
    generateText({ ...common, prompt: 'Fail please [[fake: status=400 message="that was refused"]]' }).then(
      () => { throw new Error('the model was meant to refuse') },
      () => {},
    ),
  embeddings: () => embedMany({ model: embedder.embedding('text-embedding-3-small'), values: ['one text', 'another'], maxRetries: 0, experimental_telemetry: telemetry }),
}

for (const name of process.argv.slice(2)) {
  const out = { name, ok: true, error: '' }
  try {
    await cases[name]()
  } catch (e) {
    Object.assign(out, { ok: false, error: String(e?.stack ?? e) })
  }
  await provider.forceFlush()
  console.log(JSON.stringify(out))
}
