#!/usr/bin/env bash
# Build the package of this checkout into the wheels/ folders of functions.
#
#   build_wheel.sh [FOLDER ...]     folders with a function.yaml; without one all here
#
# The image takes a wheel in wheels/ before one of the index. So a function can be
# deployed, by CVAT's own scripts too, before its version is published.
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$(dirname "$HERE")"
PYTHON="${PYTHON:-python3}"

fail() {
    printf 'build_wheel.sh: %s\n' "$*" >&2
    exit 1
}

# The one version that the yaml files of these folders install.
pinned_version() {
    local found
    found="$(cat "${folders[@]/%//function.yaml}" |
        sed -n 's/.*napari-iseg\[cvat\]==\([0-9.]*\).*/\1/p' | sort -u)"
    [ "$(wc -w <<<"$found")" -eq 1 ] ||
        fail "the functions must install one version of napari-iseg, found: ${found:-none}"
    printf '%s' "$found"
}

# "0.1.0+g1234567": pip takes it for 0.1.0, and the log tells which commit it is.
local_version() {
    local commit
    commit="$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null)" || commit=""
    if [ -z "$commit" ]; then
        printf '%s+local' "$1"
    elif [ -n "$(git -C "$ROOT" status --porcelain -- src pyproject.toml)" ]; then
        printf '%s+g%s.changed' "$1" "$commit"
    else
        printf '%s+g%s' "$1" "$commit"
    fi
}

main() {
    local version folder
    folders=("$@")
    if [ $# -eq 0 ]; then
        for folder in "$HERE"/*/nuclio; do folders+=("$folder"); done
    fi
    for folder in "${folders[@]}"; do
        [ -f "$folder/function.yaml" ] || fail "there is no function.yaml in $folder"
    done
    version="$(pinned_version)"
    version="$(local_version "$version")"
    made="$(mktemp -d)"
    trap 'rm -rf "$made"' EXIT
    SETUPTOOLS_SCM_PRETEND_VERSION="$version" \
        "$PYTHON" -m pip wheel --no-deps --wheel-dir "$made" "$ROOT" ||
        fail "pip could not build napari-iseg $version; its last lines above say why"
    [ -f "$made/napari_iseg-$version-py3-none-any.whl" ] ||
        fail "pip was to build napari-iseg $version, and built $(ls "$made")"
    for folder in "${folders[@]}"; do
        mkdir -p "$folder/wheels"
        rm -f "$folder"/wheels/napari_iseg-*.whl
        cp "$made"/napari_iseg-*.whl "$folder/wheels/"
        echo "napari-iseg $version is in $folder/wheels"
    done
}

main "$@"
