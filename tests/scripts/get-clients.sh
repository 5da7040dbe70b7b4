#!/usr/bin/env bash
# Puts the real clients into tests/.cache/clients: Claude Code, Codex and Gemini CLI, in the versions that the tests were
# written against, each in a directory of its own. Does nothing about those that are there already. Codex and Gemini CLI
# are skipped, loudly, if a minute is not enough for them; their tests then say so too.
set -euo pipefail

clients=$(cd "$(dirname "$0")/.." && pwd)/.cache/clients
# Name, package, version; `required` or how many seconds it may take.
wanted=(
    "claude @anthropic-ai/claude-code 2.1.329 required"
    "codex @openai/codex 0.169.0 60"
    "gemini @google/gemini-cli 0.61.0 60"
)

die() { echo "get-clients: $*" >&2; exit 1; }

# What the program itself says it is, without touching anyone's home.
version() {
    env -i PATH="$PATH" HOME="$clients/$1" DISABLE_AUTOUPDATER=1 "$clients/$1/node_modules/.bin/$1" --version 2>/dev/null |
        grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1
}

is_there() { [[ -f $clients/$1/.stamp && $(<"$clients/$1/.stamp") == "$2@$3" && -x $clients/$1/node_modules/.bin/$1 ]]; }

# The stamp comes last: what broke off is installed anew.
install() {
    local name=$1 package=$2 version=$3 patience=$4 limit=()
    [[ $patience == required ]] || limit=(timeout "$patience")
    rm -rf "${clients:?}/$name"
    mkdir -p "$clients/$name"
    "${limit[@]}" npm install --prefix "$clients/$name" --no-audit --no-fund --loglevel=error \
        "$package@$version" >"$clients/$name.log" 2>&1 || return
    [[ $(version "$name") == "$version" ]] || { echo "it says it is \"$(version "$name")\"" >>"$clients/$name.log"; return 1; }
    echo "$package@$version" >"$clients/$name/.stamp"
}

for tool in node npm timeout; do command -v "$tool" >/dev/null || die "$tool is missing; Node.js 20 or later is needed"; done
[[ $(node -p 'process.versions.node.split(".")[0]') -ge 20 ]] || die "node is $(node --version); 20 or later is needed"
mkdir -p "$clients"

declare -A running
for line in "${wanted[@]}"; do
    read -r name package version patience <<<"$line"
    if is_there "$name" "$package" "$version"; then
        echo "get-clients: $name $version is there"
    else
        install "$name" "$package" "$version" "$patience" &
        running[$name]=$!
    fi
done

failed=
for line in "${wanted[@]}"; do
    read -r name package version patience <<<"$line"
    [[ -n ${running[$name]:-} ]] || continue
    if wait "${running[$name]}"; then
        echo "get-clients: $name $version installed after $SECONDS s"
        continue
    fi
    rm -rf "${clients:?}/$name"
    tail -5 "$clients/$name.log" >&2
    if [[ $patience == required ]]; then
        failed+=" $package@$version"
    else
        echo "get-clients: SKIPPED $name: npm could not install $package@$version within $patience s" >&2
    fi
done
[[ -z $failed ]] || die "npm could not install$failed"
echo "get-clients: ready in $clients after $SECONDS s"
