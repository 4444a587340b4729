#!/usr/bin/env bash
# Records the fixtures of internal/ingest/mapping anew with the SDKs that test/setup.sh installed: capture.sh [PROGRAM …]
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.work/venv-otel/bin/python}
fake=${FAKE:-../../bin/weir-fakeupstream}
out=$PWD/../../internal/ingest/mapping/testdata
port=$((20000 + RANDOM % 20000))
log=$(mktemp)
"$fake" --listen=127.0.0.1:0 >"$log" 2>&1 & fakepid=$!
"$python" capture.py "$out" $port & capturepid=$!
trap 'kill $fakepid $capturepid; rm -f "$log"' EXIT
until url=$(grep -o 'http://[0-9.:]*' "$log" | head -1) && [ -n "$url" ] && curl -fs "http://127.0.0.1:$port/" >/dev/null; do sleep 0.2; done
export OPENAI_BASE_URL=$url/v1 EMBED_BASE_URL=http://127.0.0.1:$port/v1 OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port OPENAI_API_KEY=sk-fake
export LANGFUSE_BASE_URL=http://127.0.0.1:$port MLFLOW_TRACKING_URI=http://127.0.0.1:$port PYTHONDONTWRITEBYTECODE=1 OTEL_SIMPLE=1 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export MLFLOW_ENABLE_ASYNC_TRACE_LOGGING=false MLFLOW_DISABLE_TELEMETRY=true

one() { # DIALECT NAME COMMAND…
	curl -fs -X POST "$url/_fake/reset" >/dev/null
	curl -fs -X POST "http://127.0.0.1:$port/_case/$1/$2" >/dev/null
	"${@:3}" || echo "failed: $*"
	curl -fs -X POST "http://127.0.0.1:$port/_save" >/dev/null
}
all() { # DIALECT PROGRAM CASE…
	[ ${#want[@]} -eq 0 ] || [[ " ${want[*]} " == *" $2 "* ]] || return 0
	for name in "${@:3}"; do
		case $2 in
		*.mjs) one "$1" "$name" node "${NODE_DIR:-../node}/$2" "$name" ;;
		*) one "$1" "${prefix:-}$name" "$python" "$2" "$name" ;;
		esac
	done
}
want=("$@")
all otel-genai genai.py simple streaming tools error embeddings
all openinference openinference_app.py simple streaming tools image error embeddings retrieval
prefix=langchain- all openinference langchain_app.py simple streaming tools retrieval error
all openllmetry openllmetry.py simple streaming tools error embeddings
all pydantic pydantic_agent.py simple tools error
for v in 2 4 6; do PYDANTIC_FORMAT=$v prefix=v$v- all pydantic pydantic_agent.py tools; done
all langfuse langfuse_app.py simple wrapper kinds error
all mlflow mlflow_app.py simple retrieval error
all vercel vercel.mjs simple streaming tools error embeddings
