#!/usr/bin/env bash
# Puts Debian's strace into tests/.cache/strace, for the tests that look at system calls, unless the machine has one.
# Installs nothing: it unpacks the package and needs no root. Exit code 3 if there is none to be had, or if processes may
# not be traced here; those tests are then skipped.
set -euo pipefail

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/strace
program=$(command -v strace || echo "$cache/usr/bin/strace")

none() { echo "get-strace: $*" >&2; exit 3; }
version() { "$program" -V 2>&1 | head -1; }

if ! "$program" -V >/dev/null 2>&1; then
    for tool in apt-get dpkg; do command -v "$tool" >/dev/null || none "$tool is missing; this needs a Debian machine"; done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get -qq download strace 2>/dev/null) || none "apt could not download strace; does it need apt-get update?"
    mkdir -p "$cache"
    dpkg -x "$work"/strace_*.deb "$cache"
    "$program" -V >/dev/null || none "it does not start; perhaps a library is missing: $(ldd "$program" | grep 'not found' || true)"
fi
"$program" -f -o /dev/null true || none "processes may not be traced here"
echo "get-strace: $(version), $program"
