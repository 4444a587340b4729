#!/usr/bin/env bash
# Checks the UI: lint, types, unit tests, size of the bundles, and that the committed ui/dist is what its sources build.
set -euo pipefail
cd "$(dirname "$0")/../ui"
export PATH="$PWD/../test/.work/node/bin:$PATH"
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm run --silent lint
npm run --silent typecheck
npm test --silent
npm run --silent size
fresh=$PWD/../test/.work/ui-dist
npx vite build --outDir "$fresh" --emptyOutDir --logLevel warn
diff -rq dist "$fresh" || { echo 'ui/dist is not what ui/src builds: run make ui and commit it'; exit 1; }
