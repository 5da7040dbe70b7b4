#!/usr/bin/env bash
# Puts what drives a browser into tests/.cache/browser, and sees to a Chromium: the one that is installed, or, as root,
# Debian's package. Exit code 3 if there is none to be had, so that the caller can say what it leaves out.
set -euo pipefail

playwright=1.65.1
# As long as fetching and unpacking a browser may take.
patience=180

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/browser

die() { echo "get-browser: $*" >&2; exit 1; }
none() { echo "get-browser: $*" >&2; exit 3; }
browser() { command -v "${CCXRAY_TEST_CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome; }
version() { node -p 'require(process.argv[1]).version' "$cache/node_modules/playwright-core/package.json" 2>/dev/null; }

command -v npm >/dev/null || die "npm is missing; install Node.js 20 or later"
if [[ $(version) != "$playwright" ]]; then
    mkdir -p "$cache"
    npm install --prefix "$cache" --no-audit --no-fund --loglevel=error "playwright-core@$playwright" >/dev/null ||
        die "npm could not install playwright-core@$playwright"
fi
if ! browser >/dev/null; then
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null || none "no Chromium; install one, for example Debian's package"
    { timeout "$patience" apt-get -qq update && timeout "$patience" apt-get -qq install -y --no-install-recommends chromium; } \
        >/dev/null || none "apt-get could not install Chromium within $patience seconds"
    browser >/dev/null || none "Debian's package has brought no Chromium"
fi
ln -sf "$(browser)" "$cache/chromium"
echo "get-browser: playwright-core $playwright with $(browser)"
