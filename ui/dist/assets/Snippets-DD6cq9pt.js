import{m as g,o as P,r as p,b1 as R,j as e,b2 as K,E as D,q as $,b7 as H,a_ as T,b8 as L,bo as N}from"./index-BlS4W_9P.js";import{B as u}from"./Button-Dh5dfyVx.js";import{G as A}from"./Group-B94YjyZb.js";import{S as B}from"./Stack-CyttOj9_.js";import{u as U}from"./useMutation-j47UJDWc.js";import{C as v}from"./Code-BSda7fn3.js";import{s as m}from"./Snippets.module-Dwh6_hcr.js";import{e as j,c as w}from"./draft-C_Gf0CKT.js";import{F as M}from"./Fields-DrAy-ltu.js";function O({onClose:n,onMade:i,withSnippets:t}){const s=g(),x=P(),[d,f]=p.useState(j),r=U({mutationFn:a=>R("POST","/keys",{body:w(j,a)}),onSuccess:a=>{x.invalidateQueries({queryKey:["keys"]}),i?.(a.key)}});return e.jsx(K,{opened:!0,onClose:n,title:r.data?s("key.made"):s("key.create"),size:r.data&&t?"xl":"md",closeButtonProps:{"aria-label":s("close")},children:r.data?e.jsxs(B,{gap:12,children:[e.jsx("div",{children:s("key.once")}),e.jsx(v,{text:r.data.key,title:r.data.alias||"key"}),t&&e.jsx(k,{secret:r.data.key}),e.jsx(A,{justify:"flex-end",children:e.jsx(u,{onClick:n,children:s("done")})})]}):e.jsxs("form",{onSubmit:a=>{a.preventDefault(),r.mutate(d)},children:[e.jsx(M,{owner:!0,draft:d,change:a=>f({...d,...a})}),r.isError&&e.jsx(D,{error:r.error}),e.jsxs(A,{justify:"flex-end",mt:16,children:[e.jsx(u,{variant:"default",onClick:n,children:s("cancel")}),e.jsx(u,{type:"submit",loading:r.isPending,children:s("key.create")})]})]})})}const ee=Object.freeze(Object.defineProperty({__proto__:null,KeyDialog:O},Symbol.toStringTag,{value:"Module"})),z="sk-…";function Q({base:n,key:i,model:t}){return[{id:"cline",name:"Cline",note:"connect.cline",files:[{title:"API Provider: OpenAI Compatible",text:`Base URL   ${n}/v1
API Key    ${i}
Model ID   ${t}`},{title:"Cline CLI (3.x)",text:`cline auth -p openai-compatible -k '${i}' -m '${t}' -b '${n}/v1'
cline -P openai-compatible -m '${t}' 'Explain this repository'`},{title:"API Provider: LiteLLM (2.x)",text:`Base URL   ${n}
API Key    ${i}
Model ID   ${t}`}]},{id:"claude",name:"Claude Code",note:"connect.claude",files:[{title:"Anthropic API",text:`export ANTHROPIC_BASE_URL=${n}
export ANTHROPIC_AUTH_TOKEN='${i}'
export ANTHROPIC_MODEL=${t}
claude`},{title:"Amazon Bedrock",text:`export CLAUDE_CODE_USE_BEDROCK=1
export CLAUDE_CODE_SKIP_BEDROCK_AUTH=1
export AWS_REGION=us-east-1
export ANTHROPIC_BEDROCK_BASE_URL=${n}/bedrock
export ANTHROPIC_AUTH_TOKEN='${i}'
export ANTHROPIC_MODEL=${t}
claude`}]},{id:"codex",name:"Codex",note:"connect.codex",files:[{title:"~/.codex/config.toml",text:`model = "${t}"
model_provider = "weir"

[model_providers.weir]
name = "Weir"
base_url = "${n}/v1"
env_key = "WEIR_API_KEY"
wire_api = "chat"`}]},{id:"openai",name:"OpenAI SDK",files:[{title:"Python",text:`from openai import OpenAI

client = OpenAI(base_url="${n}/v1", api_key="${i}")
r = client.chat.completions.create(
    model="${t}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(r.choices[0].message.content)`},{title:"JavaScript",text:`import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${n}/v1', apiKey: '${i}' });
const r = await client.chat.completions.create({
  model: '${t}',
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(r.choices[0].message.content);`}]},{id:"anthropic",name:"Anthropic SDK",files:[{title:"Python",text:`from anthropic import Anthropic

client = Anthropic(base_url="${n}", api_key="${i}")
r = client.messages.create(
    model="${t}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(r.content[0].text)`},{title:"JavaScript",text:`import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: '${n}', apiKey: '${i}' });
const r = await client.messages.create({
  model: '${t}',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(r.content[0].text);`}]},{id:"curl",name:"curl",files:[{title:"sh",text:`curl ${n}/v1/chat/completions \\
  -H 'Authorization: Bearer ${i}' \\
  -H 'Content-Type: application/json' \\
  -d '{"model": "${t}", "messages": [{"role": "user", "content": "Hello"}]}'`}]},{id:"boto3",name:"boto3",note:"connect.boto3",files:[{title:"Python",text:`import json, os
import boto3

os.environ["AWS_BEARER_TOKEN_BEDROCK"] = "${i}"
bedrock = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url="${n}/bedrock")
r = bedrock.invoke_model(
    modelId="${t}",
    body=json.dumps({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello"}],
    }),
)
print(json.loads(r["body"].read())["content"][0]["text"])`}]}]}function k({secret:n,only:i}){const t=g(),s=$(H),x=$(T),[d,f]=p.useState(n),[r,a]=p.useState(!1),C=(s.data?.base_url||L()).replace(/\/$/,""),I=s.data?.example_model||x.data?.items.find(o=>!o.pattern)?.name||"claude-sonnet",c=Q({base:C,key:d??z,model:I}).filter(o=>!i||i.includes(o.id)),[E,_]=p.useState(c[0].id),l=c.find(o=>o.id===E)??c[0],h=p.useRef(null),S=o=>{const b=o.key==="ArrowRight"?1:o.key==="ArrowLeft"?-1:0;if(b===0)return;const y=c[(c.indexOf(l)+b+c.length)%c.length];_(y.id),h.current?.querySelector(`[data-id="${y.id}"]`)?.focus()};return e.jsxs("div",{className:m.wrap,children:[e.jsx("div",{className:m.tabs,role:"tablist","aria-label":t("nav.connect"),ref:h,onKeyDown:S,children:c.map(o=>e.jsx("button",{type:"button",role:"tab","data-id":o.id,className:m.tab,"aria-selected":o===l,tabIndex:o===l?0:-1,onClick:()=>_(o.id),children:o.name},o.id))}),e.jsxs("div",{className:m.files,role:"tabpanel","aria-label":l.name,children:[l.note&&e.jsx("div",{className:"dim2",children:t(l.note)}),l.files.map(o=>e.jsx(v,{title:o.title,text:o.text,fold:40},o.title))]}),d===void 0&&e.jsx("div",{children:e.jsx(u,{variant:"light",leftSection:e.jsx(N,{size:14}),onClick:()=>a(!0),children:t("key.create")})}),r&&e.jsx(O,{onClose:()=>a(!1),onMade:f})]})}const te=Object.freeze(Object.defineProperty({__proto__:null,Snippets:k},Symbol.toStringTag,{value:"Module"}));export{ee as K,k as S,te as a};
