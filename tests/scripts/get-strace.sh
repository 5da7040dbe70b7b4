#!/usr/bin/env bash
# Puts Debian's strace into tests/.cache/strace, for the tests that look at system calls, unless the machine has one.
# Installs nothing: it unpacks the package and needs no root. Exit code 3 if there is none to be had, or if processes may
# not be traced here; those tests are then skipped.
set -euo pipefail

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/strace
program=strace

none() { echo "get-strace: $*" >&2; exit 3; }
works() { "$program" -D -f --seccomp-bpf -o /dev/null true 2>/dev/null; }

works || program=$cache/usr/bin/strace
if [[ $program != strace && ! -x $program ]]; then
    for tool in apt-get dpkg; do command -v "$tool" >/dev/null || none "$tool is missing; this needs a Debian machine"; done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get -qq download strace 2>/dev/null) || none "apt could not download strace; does it need apt-get update?"
    mkdir -p "$cache"
    dpkg -x "$work"/strace_*.deb "$cache"
fi
works || none "it does not start, or may not trace: $("$program" -f -o /dev/null true 2>&1 | head -1)"
echo "get-strace: $("$program" -V | head -1), $program"
