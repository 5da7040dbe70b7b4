#!/usr/bin/env bash
# Puts the real clients into tests/.cache/clients: Claude Code, in the version that the tests were written against.
# Does nothing if it is there already.
set -euo pipefail

claude_code=2.1.329

clients=$(cd "$(dirname "$0")/.." && pwd)/.cache/clients
claude=$clients/node_modules/.bin/claude

die() { echo "get-clients: $*" >&2; exit 1; }
version() { env -u ANTHROPIC_API_KEY DISABLE_AUTOUPDATER=1 HOME="$clients" "$claude" --version 2>/dev/null | cut -d' ' -f1; }

if [[ -x $claude && $(version) == "$claude_code" ]]; then
    echo "get-clients: all there (claude-code $claude_code)"
    exit
fi
for tool in node npm; do command -v "$tool" >/dev/null || die "$tool is missing; install Node.js 20 or later"; done
[[ $(node -p 'process.versions.node.split(".")[0]') -ge 20 ]] || die "node is $(node --version); 20 or later is needed"
mkdir -p "$clients"
npm install --prefix "$clients" --no-audit --no-fund --loglevel=error "@anthropic-ai/claude-code@$claude_code" ||
    die "npm could not install @anthropic-ai/claude-code@$claude_code"
[[ $(version) == "$claude_code" ]] || die "$claude says \"$(version)\" instead of $claude_code"
echo "get-clients: ready in $clients (claude-code $claude_code)"
