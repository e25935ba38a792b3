#!/usr/bin/env bash
# Deploy functions into CVAT. Runs in bash 3.2, too: that is what macOS has.
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

usage() {
    cat <<'TEXT'
deploy.sh cpu|gpu [options] [FOLDER ...]

  cpu, gpu        the functions for a machine without or with a GPU
  FOLDER          functions in it, as cells or path/to/my/functions; without one all here

  --build-wheel   install the package as it is in this checkout, not from the index
  --built         build nothing: deploy the image that is on this machine
  --env NAME=VALUE        set a variable of the function (README, "Settings"); repeatable
  --network NAME          CVAT's docker network, if it is not cvat_cvat
  --kubernetes REGISTRY   push the image there, deploy into the cluster of kubectl
  --namespace NAME        the cluster's namespace that CVAT is in
  --replicas N            how many copies the cluster runs
  --any-version   do not compare nuctl with CVAT's nuclio
TEXT
}

fail() {
    printf 'deploy.sh: %s\n' "$*" >&2
    exit 1
}

keep() {
    case "$1" in
        --env) variables+=(--env "$2") ;;
        --network) network="$2" ;;
        --kubernetes) registry="$2" ;;
        --namespace) namespace="$2" ;;
        --replicas) replicas="$2" ;;
    esac
}

read_arguments() {
    machine="" registry="" namespace="" network="cvat_cvat" replicas=""
    build_wheel="" built="" any_version=""
    variables=() folders=()
    while [ $# -gt 0 ]; do
        case "$1" in
            --help | -h) usage && exit 0 ;;
            --build-wheel) build_wheel=yes ;;
            --built) built=yes ;;
            --any-version) any_version=yes ;;
            --env | --network | --kubernetes | --namespace | --replicas)
                [ $# -ge 2 ] || fail "$1 needs a value; see deploy.sh --help"
                keep "$1" "$2"
                shift
                ;;
            -*) fail "there is no option $1; see deploy.sh --help" ;;
            *) if [ -z "$machine" ]; then machine="$1"; else folders+=("$1"); fi ;;
        esac
        shift
    done
}

check_arguments() {
    case "$machine" in
        cpu) yaml=function.yaml ;;
        gpu) yaml=function-gpu.yaml ;;
        *) fail "the first argument is '$machine'; write cpu or gpu" ;;
    esac
    [ -n "$registry" ] || [ -z "$namespace$replicas" ] ||
        fail "--namespace and --replicas are for --kubernetes"
    [ -z "$registry" ] || [ -n "$namespace" ] ||
        fail "--kubernetes needs --namespace, the one that CVAT is in"
    [ -z "$registry" ] || [ -z "$built" ] ||
        fail "--built is for images on this machine, --kubernetes for those of a registry"
}

# Prints one yaml file a line.
function_files() {
    local folder
    for folder in ${folders[@]+"${folders[@]}"}; do
        [ -d "$folder" ] || folder="$HERE/$folder"
        [ -d "$folder" ] || fail "there is no folder $folder"
        find "$folder" -name "$yaml" -type f
    done
    [ ${#folders[@]} -gt 0 ] || find "$HERE" -name "$yaml" -type f
}

check_tools() {
    command -v nuctl >/dev/null || fail "nuctl is missing; take the version of CVAT's \
nuclio from https://github.com/nuclio/nuclio/releases and put it on the PATH"
    command -v docker >/dev/null || fail "docker is missing; install it first"
    docker ps >/dev/null || fail "docker does not answer; is it running, may you use it?"
    [ -n "$registry" ] || docker network inspect "$network" >/dev/null 2>&1 ||
        fail "there is no docker network $network; start CVAT, or name its network \
with --network"
}

# A nuctl of another version than CVAT's nuclio deploys what the other cannot read.
check_version() {
    local ours theirs
    ours="$(nuctl version | sed -n 's/.*Label: \([^,]*\),.*/\1/p')"
    theirs="$(docker ps --format '{{.Image}}' |
        sed -n 's|.*nuclio/dashboard:||p' | sed 's/-a[mr][dm]64$//' | head -n 1)"
    [ -n "$theirs" ] || fail "CVAT's nuclio dashboard does not run; start CVAT with \
components/serverless/docker-compose.serverless.yml, or leave this out by --any-version"
    [ "$ours" = "$theirs" ] || fail "nuctl is ${ours:-of an unknown version}, CVAT's \
nuclio $theirs; take nuctl $theirs from https://github.com/nuclio/nuclio/releases, or \
leave this out by --any-version"
}

# Value of a key that stands once in the yaml, so far to the right: field 4 image FILE
field() {
    sed -n "s/^ \{$1\}$2: *//p" "$3" | head -n 1
}

deploy() {
    local file="$1" name image
    local arguments=(--project-name cvat --file "$file")
    name="$(field 2 name "$file")"
    image="$(field 4 image "$file")"
    [ -n "$name" ] && [ -n "$image" ] || fail "$file names no function or no image"
    if [ -n "$built" ]; then
        docker image inspect "$image" >/dev/null 2>&1 ||
            fail "there is no image $image on this machine; docker load it, or build \
it without --built"
        arguments=("$name" "${arguments[@]}" --run-image "$image")
    else
        arguments+=(--path "$(dirname "$file")")
    fi
    arguments+=("${place[@]}" ${variables[@]+"${variables[@]}"})
    echo "Deploying $name ..."
    nuctl deploy "${arguments[@]}" || fail "nuctl could not deploy $name; its last lines \
above say why. If it found no napari-iseg of that version, add --build-wheel"
}

main() {
    local files file
    read_arguments "$@"
    check_arguments
    files="$(function_files | LC_ALL=C sort)"
    [ -n "$files" ] || fail "there is no $yaml in ${folders[*]-$HERE}"
    check_tools
    if [ -n "$registry" ]; then
        where=(--platform kube --namespace "$namespace")
        place=("${where[@]}" --registry "$registry" --run-registry "$registry")
        [ -z "$replicas" ] || place+=(--replicas "$replicas")
    else
        [ -n "$any_version" ] || check_version
        where=(--platform "local")
        place=("${where[@]}" --platform-config
            "{\"attributes\": {\"network\": \"$network\"}}")
    fi
    if [ -n "$build_wheel" ]; then
        echo "$files" | while IFS= read -r file; do dirname "$file"; done |
            tr '\n' '\0' | xargs -0 "$HERE/build_wheel.sh"
    fi
    nuctl create project cvat "${where[@]}" || nuctl get project cvat "${where[@]}" ||
        fail "nuctl can neither make nor find the project cvat; see above"
    while IFS= read -r file; do
        deploy "$file"
    done <<<"$files"
    nuctl get function "${where[@]}"
}

main "$@"
