#!/usr/bin/env bash
# Fails when something with a non-permissive licence, or with none, is linked into the binary or bundled into the UI.
# Development tools of the UI are not shipped and not checked.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
fail() { echo "licences: $*" >&2; bad=1; }

# Licence texts are told by their own words. LICENSE-3RD-PARTY files quote licences of what a module does not compile in.
refused='Mozilla Public License|GNU (LESSER |AFFERO )?GENERAL PUBLIC LICENSE|Eclipse Public License|Server Side Public License|Business Source License|Commons Clause|Elastic License|Functional Source License'
permitted='Apache License|Permission is hereby granted, free of charge|Redistribution and use in source and binary forms|Permission to use, copy, modify, and(/or)? distribute|CC0 1\.0 Universal|This is free and unencumbered software'

modules=$(go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/weir ./cmd/weir-fakeupstream | sort -u)
count=0
while read -r path dir; do
	count=$((count + 1))
	mapfile -t texts < <(find "$dir" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' \) ! -iname '*3rd-party*')
	if [ ${#texts[@]} -eq 0 ]; then
		fail "$path has no licence text"
	elif grep -qiE "$refused" "${texts[@]}"; then
		fail "$path: $(grep -hoiE "$refused" "${texts[@]}" | head -1)"
	elif ! tr -s '\n \t' ' ' < <(cat "${texts[@]}") | grep -qE "$permitted"; then
		fail "$path: licence not recognised"
	fi
done <<<"$modules"
[ "$count" -ge 20 ] || fail "only $count modules found: the list is broken"

# package-lock.json names each package's licence, and marks what only development needs.
npm='^(MIT|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|OFL-1\.1|Unlicense|BlueOak-1\.0\.0|\(MIT OR CC0-1\.0\))$'
packages=0
while IFS=$'\t' read -r name licence; do
	packages=$((packages + 1))
	[[ $licence =~ $npm ]] || fail "npm $name: ${licence:-no licence}"
done < <(awk -F'"' '
	/^    "node_modules\// { name = $2; licence = ""; dev = 0; next }
	/^      "license":/    { licence = $4 }
	/^      "dev(Optional)?": true/ { dev = 1 }
	/^    },?$/            { if (name != "" && !dev) print name "\t" licence; name = "" }
' ui/package-lock.json)
[ "$packages" -ge 10 ] || fail "only $packages npm packages found: the list is broken"

[ "$bad" -eq 0 ] && echo "licences: $count Go modules and $packages npm packages are permissive"
exit "$bad"
