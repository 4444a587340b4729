#!/usr/bin/env bash
# Installs the servers that `make bench-traces` compares Weir with, the newest of each, below test/.work/peers.
set -euo pipefail
cd "$(dirname "$0")/.."
for peer in mlflow arize-phoenix; do
	dir=.work/peers/$peer
	[ -x "$dir/bin/python" ] || python3 -m venv "$dir"
	"$dir/bin/pip" install -q --disable-pip-version-check --upgrade "$peer"
done
