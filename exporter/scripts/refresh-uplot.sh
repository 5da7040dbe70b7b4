#!/usr/bin/env bash
# Puts uPlot, which draws the local page's charts, into exporter/src/local/vendor: this version, with this hash, fetched
# by npm under its name. To take another version, change both; npm shows them with
# `npm view uplot@VERSION version dist.integrity`.
set -euo pipefail

version=1.6.32
integrity=sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==

vendor=$(cd "$(dirname "$0")/.." && pwd)/src/local/vendor

die() { echo "refresh-uplot: $*" >&2; exit 1; }

for tool in npm openssl tar; do command -v "$tool" >/dev/null || die "$tool is missing"; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "uplot@$version" >/dev/null || die "npm could not fetch uplot@$version"
archive=$work/uplot-$version.tgz
found=sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
[[ $found == "$integrity" ]] || die "uplot@$version has the hash $found instead of $integrity"
tar -xzf "$archive" -C "$work"
install -m 644 "$work"/package/dist/uPlot.{iife.min.js,min.css} "$vendor/"
install -m 644 "$work/package/LICENSE" "$vendor/uPlot.LICENSE"
echo "refresh-uplot: $version is in $vendor"
