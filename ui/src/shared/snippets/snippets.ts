import type { Key } from '../i18n';

/** What to paste to point a program at this server. `key` is shown in place of a secret until one has been made. */
export interface Snippet {
  id: string;
  name: string;
  note?: Key;
  files: { title: string; text: string }[];
}

export interface Where {
  base: string; // without a trailing slash
  key: string;
  model: string;
}

export const placeholderKey = 'sk-…';

export function snippets({ base, key, model }: Where): Snippet[] {
  return [
    {
      id: 'cline', name: 'Cline', note: 'connect.cline',
      files: [
        { title: 'API Provider: OpenAI Compatible', text: `Base URL   ${base}/v1\nAPI Key    ${key}\nModel ID   ${model}` },
        { title: 'Cline CLI (3.x)', text: `cline auth -p openai-compatible -k '${key}' -m '${model}' -b '${base}/v1'\ncline -P openai-compatible -m '${model}' 'Explain this repository'` },
        { title: 'API Provider: LiteLLM (2.x)', text: `Base URL   ${base}\nAPI Key    ${key}\nModel ID   ${model}` },
      ],
    },
    {
      id: 'claude', name: 'Claude Code', note: 'connect.claude',
      files: [
        { title: 'Anthropic API', text: `export ANTHROPIC_BASE_URL=${base}\nexport ANTHROPIC_AUTH_TOKEN='${key}'\nexport ANTHROPIC_MODEL=${model}\nclaude` },
        { title: 'Amazon Bedrock', text: `export CLAUDE_CODE_USE_BEDROCK=1\nexport CLAUDE_CODE_SKIP_BEDROCK_AUTH=1\nexport AWS_REGION=us-east-1\nexport ANTHROPIC_BEDROCK_BASE_URL=${base}/bedrock\nexport ANTHROPIC_AUTH_TOKEN='${key}'\nexport ANTHROPIC_MODEL=${model}\nclaude` },
      ],
    },
    {
      id: 'codex', name: 'Codex', note: 'connect.codex',
      files: [{ title: '~/.codex/config.toml', text: `model = "${model}"\nmodel_provider = "weir"\n\n[model_providers.weir]\nname = "Weir"\nbase_url = "${base}/v1"\nenv_key = "WEIR_API_KEY"\nwire_api = "chat"` }],
    },
    {
      id: 'openai', name: 'OpenAI SDK',
      files: [
        { title: 'Python', text: `from openai import OpenAI\n\nclient = OpenAI(base_url="${base}/v1", api_key="${key}")\nr = client.chat.completions.create(\n    model="${model}",\n    messages=[{"role": "user", "content": "Hello"}],\n)\nprint(r.choices[0].message.content)` },
        { title: 'JavaScript', text: `import OpenAI from 'openai';\n\nconst client = new OpenAI({ baseURL: '${base}/v1', apiKey: '${key}' });\nconst r = await client.chat.completions.create({\n  model: '${model}',\n  messages: [{ role: 'user', content: 'Hello' }],\n});\nconsole.log(r.choices[0].message.content);` },
      ],
    },
    {
      id: 'anthropic', name: 'Anthropic SDK',
      files: [
        { title: 'Python', text: `from anthropic import Anthropic\n\nclient = Anthropic(base_url="${base}", api_key="${key}")\nr = client.messages.create(\n    model="${model}",\n    max_tokens=1024,\n    messages=[{"role": "user", "content": "Hello"}],\n)\nprint(r.content[0].text)` },
        { title: 'JavaScript', text: `import Anthropic from '@anthropic-ai/sdk';\n\nconst client = new Anthropic({ baseURL: '${base}', apiKey: '${key}' });\nconst r = await client.messages.create({\n  model: '${model}',\n  max_tokens: 1024,\n  messages: [{ role: 'user', content: 'Hello' }],\n});\nconsole.log(r.content[0].text);` },
      ],
    },
    {
      id: 'curl', name: 'curl',
      files: [{ title: 'sh', text: `curl ${base}/v1/chat/completions \\\n  -H 'Authorization: Bearer ${key}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'` }],
    },
    {
      id: 'boto3', name: 'boto3', note: 'connect.boto3',
      files: [{ title: 'Python', text: `import json, os\nimport boto3\n\nos.environ["AWS_BEARER_TOKEN_BEDROCK"] = "${key}"\nbedrock = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url="${base}/bedrock")\nr = bedrock.invoke_model(\n    modelId="${model}",\n    body=json.dumps({\n        "anthropic_version": "bedrock-2023-05-31",\n        "max_tokens": 1024,\n        "messages": [{"role": "user", "content": "Hello"}],\n    }),\n)\nprint(json.loads(r["body"].read())["content"][0]["text"])` }],
    },
  ];
}
