#!/usr/bin/env bash
# Puts backends that others wrote into tests/.cache/bin: prometheus, promtool, prometheus-pushgateway, victoria-metrics
# and rotel-agent (an OTLP collector). Installs nothing: it unpacks Debian's own packages and one Python wheel, needs no
# root, and does nothing if they are there already.
set -euo pipefail

rotel=rotel==0.0.1a15
# The first release of Debian that has victoria-metrics.
newer=trixie
programs=(prometheus promtool prometheus-pushgateway victoria-metrics rotel-agent)

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
bin=$cache/bin
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
stamp="prometheus/$release pushgateway/$release victoria-metrics/$newer $rotel"

die() { echo "get-backends: $*" >&2; exit 1; }

complete() {
    [[ -f $bin/.stamp && $(<"$bin/.stamp") == "$stamp" ]] || return 1
    for program in "${programs[@]}"; do [[ -x $bin/$program ]] || return 1; done
}

# This machine's own Debian source, for the release $1, in apt's one-line form.
source_for() {
    local deb822=/etc/apt/sources.list.d/debian.sources line=/etc/apt/sources.list
    if [[ -f $deb822 ]]; then
        awk -v release="$1" '$1 == "URIs:" && !uri { uri = $2 } $1 == "Signed-By:" && !key { key = $2 }
            END { if (uri) print "deb " (key ? "[signed-by=" key "] " : "") uri, release, "main" }' "$deb822"
    elif [[ -f $line ]]; then
        sed -n "s/^\(deb .*\) $release main.*/\1 $1 main/p" "$line" | head -1
    fi
}

# apt with lists and a cache of its own, so that the machine's are not touched.
apt() {
    local user=(); [[ $EUID -ne 0 ]] || user=(-o APT::Sandbox::User=root)
    apt-get -qq "${user[@]}" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Acquire::Languages=none "$@"
}

unpack_debian() {
    mkdir -p "$work"/{lists,cache/archives}/partial "$work"/{deb,root}
    { source_for "$release"; [[ $release == "$newer" ]] || source_for "$newer"; } >"$work/sources.list"
    [[ -s $work/sources.list ]] || die "no Debian source in /etc/apt; this needs a Debian machine"
    apt update || die "apt could not read the package lists of $release and $newer"
    (cd "$work/deb" && apt download "prometheus/$release" "prometheus-pushgateway/$release" "victoria-metrics/$newer") ||
        die "apt could not download the packages"
    for deb in "$work"/deb/*.deb; do dpkg -x "$deb" "$work/root"; done
    for program in "${programs[@]:0:4}"; do install -m 755 "$work/root/usr/bin/$program" "$bin/"; done
}

unpack_rotel() {
    python3 -m pip -q --disable-pip-version-check download --no-deps --dest "$work/wheel" "$rotel" ||
        die "pip could not download $rotel"
    python3 -m zipfile -e "$work"/wheel/rotel-*.whl "$work/wheel/unpacked"
    install -m 755 "$(find "$work/wheel/unpacked" -name rotel-agent -type f)" "$bin/"
}

if complete; then
    echo "get-backends: all there ($stamp)"
    exit
fi
for tool in apt-get dpkg python3; do command -v "$tool" >/dev/null || die "$tool is missing"; done
mkdir -p "$bin"
rm -f "$bin/.stamp"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unpack_rotel & rotel_pid=$!
unpack_debian
wait "$rotel_pid" || die "rotel-agent is missing"
for program in "${programs[@]}"; do [[ -x $bin/$program ]] || die "$program did not come with its package"; done
echo "$stamp" >"$bin/.stamp"
echo "get-backends: ready in $bin ($stamp)"
