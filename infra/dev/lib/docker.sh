# The Docker engine, the public registry, and the building of one image.

engine() { docker --host "$DOCKER_ENDPOINT" "$@"; }

# The endpoint of the engine that setup starts if none answers.
own_engine() { printf 'unix://%s/docker.sock' "$VOIDRUNNER_RUN_DIR"; }

# docker_answers [ENDPOINT]: default is DOCKER_ENDPOINT, else the default socket.
# Without a docker client (before it is installed) a bare HTTP ping.
docker_answers() {
  local endpoint=${1:-${DOCKER_ENDPOINT:-unix:///var/run/docker.sock}}
  case "$endpoint" in
    unix://*) [ -S "${endpoint#unix://}" ] || return 1 ;;
  esac
  if have docker; then
    timeout 10 env -u DOCKER_CONTEXT docker --host "$endpoint" version --format '{{.Server.Version}}' >/dev/null 2>&1
  else
    PING_ENDPOINT="$endpoint" timeout 10 node -e '
      const url = process.env.PING_ENDPOINT;
      const at = url.startsWith("unix://") ? { socketPath: url.slice(7) }
        : { host: new URL(url).hostname, port: new URL(url).port || 2375 };
      require("node:http").get({ ...at, path: "/_ping" }, (res) => process.exit(res.statusCode === 200 ? 0 : 1))
        .on("error", () => process.exit(1));'
  fi
}

# Any HTTP status counts as an answer.
registry_answers() {
  node -e '
    fetch("https://registry-1.docker.io/v2/", { signal: AbortSignal.timeout(4000) })
      .then(() => process.exit(0), () => process.exit(1));'
}

# An image is up to date if its label holds the hash of what it is built from.
image_exists() { engine image inspect "$1" >/dev/null 2>&1; }
image_label() { engine image inspect --format "{{index .Config.Labels \"voidrunner.$2\"}}" "$1" 2>/dev/null; }

# folder_hashes FOLDER [FIND-TEST...]
folder_hashes() { (cd "$1" && find . -type f "${@:2}" -print0 | sort -z | xargs -0 sha256sum); }

# An engine before 23 has no BuildKit by default; a newer client would ask for it.
choose_builder() {
  local major
  major=$(engine version --format '{{.Server.Version}}' | cut -d. -f1)
  [ "$major" -ge 23 ] || export DOCKER_BUILDKIT=0
}

# build_image LOG TAG FOLDER OPTION...: host network, because our own engine has no bridge.
build_image() {
  local log=$1 tag=$2 folder=$3
  choose_builder
  logged "$log" "building $tag failed" timeout 1800 docker --host "$DOCKER_ENDPOINT" build --network host \
    --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy "${@:4}" --tag "$tag" "$folder"
}

# build_context NAME FOLDER: prints a fresh copy of FOLDER, to which files can be added.
build_context() {
  local context="$HOME_DIR/build/$1"
  rm -rf "$context"
  mkdir -p "$context"
  cp -a "$2/." "$context/"
  printf '%s' "$context"
}
