import{u as R,b,r as u,aQ as N,j as o,a_ as k,E as D,d as y,a$ as K,aY as w,b0 as B,bu as H}from"./index-BwsOkcp1.js";import{B as _}from"./Button-CPXIbdfZ.js";import{G as A}from"./Group-DPUliU9x.js";import{S as U}from"./Stack-BwF-PqVj.js";import{u as M}from"./useMutation-CkxUE5Hc.js";import{C as S}from"./Code-DhSTWZeU.js";import{s as x}from"./Snippets.module-Dwh6_hcr.js";import{e as $,c as z}from"./draft-C_Gf0CKT.js";import{F as X}from"./Fields-TvjM1S41.js";function L({onClose:e,onMade:t,withSnippets:r}){const i=R(),d=b(),[s,p]=u.useState($),a=M({mutationFn:l=>N("POST","/keys",{body:z($,l)}),onSuccess:l=>{d.invalidateQueries({queryKey:["keys"]}),t?.(l.key)}});return o.jsx(k,{opened:!0,onClose:e,title:a.data?i("key.made"):i("key.create"),size:a.data&&r?"xl":"md",closeButtonProps:{"aria-label":i("close")},children:a.data?o.jsxs(U,{gap:12,children:[o.jsx("div",{children:i("key.once")}),o.jsx(S,{text:a.data.key,title:a.data.alias||"key"}),r&&o.jsx(v,{secret:a.data.key}),o.jsx(A,{justify:"flex-end",children:o.jsx(_,{onClick:e,children:i("done")})})]}):o.jsxs("form",{onSubmit:l=>{l.preventDefault(),a.mutate(s)},children:[o.jsx(X,{owner:!0,draft:s,change:l=>p({...s,...l})}),a.isError&&o.jsx(D,{error:a.error}),o.jsxs(A,{justify:"flex-end",mt:16,children:[o.jsx(_,{variant:"default",onClick:e,children:i("cancel")}),o.jsx(_,{type:"submit",loading:a.isPending,children:i("key.create")})]})]})})}const re=Object.freeze(Object.defineProperty({__proto__:null,KeyDialog:L},Symbol.toStringTag,{value:"Module"})),G="sk-…";function F({base:e,key:t,model:r}){return[{id:"cline",name:"Cline",note:"connect.cline",files:[{title:"API Provider: OpenAI Compatible",text:`Base URL   ${e}/v1
API Key    ${t}
Model ID   ${r}`},{title:"Cline CLI (3.x)",text:`cline auth -p openai-compatible -k '${t}' -m '${r}' -b '${e}/v1'
cline -P openai-compatible -m '${r}' 'Explain this repository'`},{title:"API Provider: LiteLLM (2.x)",text:`Base URL   ${e}
API Key    ${t}
Model ID   ${r}`}]},{id:"claude",name:"Claude Code",note:"connect.claude",files:[{title:"Anthropic API",text:`export ANTHROPIC_BASE_URL=${e}
export ANTHROPIC_AUTH_TOKEN='${t}'
export ANTHROPIC_MODEL=${r}
claude`},{title:"Amazon Bedrock",text:`export CLAUDE_CODE_USE_BEDROCK=1
export CLAUDE_CODE_SKIP_BEDROCK_AUTH=1
export AWS_REGION=us-east-1
export ANTHROPIC_BEDROCK_BASE_URL=${e}/bedrock
export ANTHROPIC_AUTH_TOKEN='${t}'
export ANTHROPIC_MODEL=${r}
claude`}]},{id:"codex",name:"Codex",note:"connect.codex",files:[{title:"~/.codex/config.toml",text:`model = "${r}"
model_provider = "weir"

[model_providers.weir]
name = "Weir"
base_url = "${e}/v1"
env_key = "WEIR_API_KEY"
wire_api = "chat"`}]},{id:"openai",name:"OpenAI SDK",files:[{title:"Python",text:`from openai import OpenAI

client = OpenAI(base_url="${e}/v1", api_key="${t}")
r = client.chat.completions.create(
    model="${r}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(r.choices[0].message.content)`},{title:"JavaScript",text:`import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${e}/v1', apiKey: '${t}' });
const r = await client.chat.completions.create({
  model: '${r}',
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(r.choices[0].message.content);`}]},{id:"anthropic",name:"Anthropic SDK",files:[{title:"Python",text:`from anthropic import Anthropic

client = Anthropic(base_url="${e}", api_key="${t}")
r = client.messages.create(
    model="${r}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(r.content[0].text)`},{title:"JavaScript",text:`import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: '${e}', apiKey: '${t}' });
const r = await client.messages.create({
  model: '${r}',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(r.content[0].text);`}]},{id:"curl",name:"curl",files:[{title:"sh",text:`curl ${e}/v1/chat/completions \\
  -H 'Authorization: Bearer ${t}' \\
  -H 'Content-Type: application/json' \\
  -d '{"model": "${r}", "messages": [{"role": "user", "content": "Hello"}]}'`}]},{id:"boto3",name:"boto3",note:"connect.boto3",files:[{title:"Python",text:`import json, os
import boto3

os.environ["AWS_BEARER_TOKEN_BEDROCK"] = "${t}"
bedrock = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url="${e}/bedrock")
r = bedrock.invoke_model(
    modelId="${r}",
    body=json.dumps({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello"}],
    }),
)
print(json.loads(r["body"].read())["content"][0]["text"])`}]}]}function J({base:e,key:t,model:r}){const i=`export OTEL_EXPORTER_OTLP_ENDPOINT=${e}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20${t}'`,d=new URL(e).hostname,s=`from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
`,p=`import { NodeSDK } from '@opentelemetry/sdk-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';

const sdk = new NodeSDK({
  serviceName: 'my-app',
  traceExporter: new OTLPTraceExporter({
    url: '${e}/v1/traces',
    headers: { Authorization: 'Bearer ${t}' },
  }),
});
sdk.start();`;return[{id:"otel-python",name:"OpenTelemetry · Python",files:[{title:"HTTP",text:i},{title:"gRPC",text:`export OTEL_EXPORTER_OTLP_ENDPOINT=http://${d}:4317
export OTEL_EXPORTER_OTLP_PROTOCOL=grpc
export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20${t}'`},{title:"Python",text:`# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-openai-v2
# export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true
${s}
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
OpenAIInstrumentor().instrument()`}]},{id:"otel-js",name:"OpenTelemetry · JavaScript",files:[{title:"JavaScript",text:p}]},{id:"openinference",name:"OpenInference",files:[{title:"sh",text:i},{title:"Python",text:`# pip install openinference-instrumentation-openai opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
${s}
from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()`}]},{id:"openllmetry",name:"OpenLLMetry",files:[{title:"Python",text:`# pip install traceloop-sdk
from traceloop.sdk import Traceloop

Traceloop.init(
    app_name="my-app",
    api_endpoint="${e}",
    headers={"Authorization": "Bearer ${t}"},
)`}]},{id:"vercel",name:"Vercel AI SDK",files:[{title:"JavaScript",text:`${p}

import { generateText } from 'ai';

await generateText({
  model,
  prompt: 'Hello',
  experimental_telemetry: { isEnabled: true, metadata: { userId: 'u-1', sessionId: 's-1' } },
});`}]},{id:"pydantic",name:"Pydantic AI",files:[{title:"sh",text:i},{title:"Python",text:`${s}
from pydantic_ai import Agent

Agent.instrument_all()
agent = Agent('openai:${r}')
print(agent.run_sync('Hello').output)`}]},{id:"langfuse",name:"Langfuse SDK",note:"connect.langfuse",files:[{title:"sh",text:`export LANGFUSE_BASE_URL=${e}
export LANGFUSE_PUBLIC_KEY=weir
export LANGFUSE_SECRET_KEY='${t}'`},{title:"Python",text:`from langfuse import observe

@observe()
def answer(question):
    ...`}]},{id:"mlflow",name:"MLflow SDK",note:"connect.mlflow",files:[{title:"sh",text:`export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${e}/v1/traces
export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20${t},x-mlflow-experiment-id=0'`},{title:"Python",text:`import mlflow

@mlflow.trace
def answer(question):
    ...`}]},{id:"mcp",name:"MCP",note:"connect.mcp",files:[{title:"Claude Code",text:`claude mcp add --transport http traces ${e}/mcp --header 'Authorization: Bearer ${t}'`},{title:"Cline (cline_mcp_settings.json)",text:JSON.stringify({mcpServers:{traces:{type:"streamableHttp",url:`${e}/mcp`,headers:{Authorization:`Bearer ${t}`}}}},null,2)}]}]}function v({secret:e,only:t,group:r="all"}){const i=R(),d=y(K),s=y(w),[p,a]=u.useState(e),[l,f]=u.useState(!1),I=(d.data?.base_url||B()).replace(/\/$/,""),g=d.data?.example_model||s.data?.items.find(n=>!n.pattern)?.name||"claude-sonnet",E={base:I,key:p??G,model:g},c=[...r==="traces"?[]:F(E),...r==="calls"?[]:J(E)].filter(n=>!t||t.includes(n.id)),[C,O]=u.useState(c[0].id),m=c.find(n=>n.id===C)??c[0],h=u.useRef(null),j=n=>{const T=n.key==="ArrowRight"?1:n.key==="ArrowLeft"?-1:0;if(T===0)return;const P=c[(c.indexOf(m)+T+c.length)%c.length];O(P.id),h.current?.querySelector(`[data-id="${P.id}"]`)?.focus()};return o.jsxs("div",{className:x.wrap,children:[o.jsx("div",{className:x.tabs,role:"tablist","aria-label":i("nav.connect"),ref:h,onKeyDown:j,children:c.map(n=>o.jsx("button",{type:"button",role:"tab","data-id":n.id,className:x.tab,"aria-selected":n===m,tabIndex:n===m?0:-1,onClick:()=>O(n.id),children:n.name},n.id))}),o.jsxs("div",{className:x.files,role:"tabpanel","aria-label":m.name,children:[m.note&&o.jsx("div",{className:"dim2",children:i(m.note)}),m.files.map(n=>o.jsx(S,{title:n.title,text:n.text,fold:40},n.title))]}),p===void 0&&o.jsx("div",{children:o.jsx(_,{variant:"light",leftSection:o.jsx(H,{size:14}),onClick:()=>f(!0),children:i("key.create")})}),l&&o.jsx(L,{onClose:()=>f(!1),onMade:a})]})}const ne=Object.freeze(Object.defineProperty({__proto__:null,Snippets:v},Symbol.toStringTag,{value:"Module"}));export{re as K,v as S,ne as a};
