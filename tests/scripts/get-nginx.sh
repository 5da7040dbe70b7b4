#!/usr/bin/env bash
# Puts Debian's nginx into tests/.cache/nginx, for the benchmark of the proxy. Installs nothing: it unpacks the package,
# needs no root, and does nothing if it is there already. Exit code 3 if there is none to be had; the benchmark then
# runs without it.
set -euo pipefail

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/nginx
program=$cache/usr/sbin/nginx

none() { echo "get-nginx: $*" >&2; exit 3; }
version() { "$program" -v 2>&1; }

if ! version >/dev/null; then
    for tool in apt-get dpkg; do command -v "$tool" >/dev/null || none "$tool is missing; this needs a Debian machine"; done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get -qq download nginx 2>/dev/null) || none "apt could not download nginx; does it need apt-get update?"
    mkdir -p "$cache"
    dpkg -x "$work"/nginx_*.deb "$cache"
    version >/dev/null || none "it does not start; perhaps a library is missing: $(ldd "$program" | grep 'not found' || true)"
fi
echo "get-nginx: $(version) in $cache"
