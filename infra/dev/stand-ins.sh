#!/usr/bin/env bash
# stand-ins.sh up: the images that docker-compose.yml and Dockerfile name are here, or can be pulled, or
# get a stand-in from Debian packages (infra/stand-ins) under their tag. stand-ins.sh down: the
# tags go again, so that nobody takes a stand-in for the real image; the builds stay as
# voidrunner/stand-in-NAME. An image that is not ours is never touched.
. "$(dirname "$0")/lib.sh"
need_settings
action=${1:?usage: stand-ins.sh up|down}

# The node one first: others are built on it.
names=(node postgres redis nats jaeger socket-proxy)
npm_version=11.21.2 # of the 11 that Node 24 brings

# The tag that NAME stands in for, from the file that names it.
tag_of() {
  case $1 in
    node) sed -n 's/^ARG NODE_IMAGE=//p' "$ROOT/Dockerfile" ;;
    jaeger) sed -n 's|^ *image: \(jaegertracing/.*\)$|\1|p' "$ROOT/docker-compose.yml" ;;
    socket-proxy) sed -n 's|^ *image: \(wollomatic/.*\)$|\1|p' "$ROOT/docker-compose.yml" ;;
    *) sed -n "s|^ *image: \($1:.*\)\$|\1|p" "$ROOT/docker-compose.yml" ;;
  esac
}
label_of() { engine image inspect --format "{{index .Config.Labels \"voidrunner.$2\"}}" "$1" 2>/dev/null; }
here() { engine image inspect "$1" >/dev/null 2>&1; }
is_stand_in() { [ -n "$(label_of "$1" stand-in)" ]; }

certificates() { printf '%s' "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"; }

# Everything that decides what is in stand-in $1.
inputs_of() {
  (
    cd "$ROOT/infra/stand-ins/$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum
    case $1 in
      node)
        echo "npm $npm_version $(npm config get registry)"
        grep '"version"' "$ROOT/node_modules/node/package.json"
        sha256sum "$(certificates)" 2>/dev/null | cut -d' ' -f1
        ;;
      jaeger | socket-proxy) inputs_of node ;;
    esac
  ) | sha256sum | cut -d' ' -f1
}

# What the node stand-in has from this host.
add_node() {
  local context=$1
  cp -L "$NODE" "$context/node"
  (cd "$context" && npm pack --silent "npm@$npm_version" >/dev/null && mv npm-*.tgz npm.tgz)
  printf 'registry=%s\n' "$(npm config get registry)" >"$context/npmrc"
  cat "$(certificates)" >"$context/certificates.crt" 2>/dev/null || : >"$context/certificates.crt"
}

build() {
  local name=$1 own="voidrunner/stand-in-$1:latest" inputs context begin
  inputs=$(inputs_of "$name")
  [ "$(label_of "$own" inputs)" != "$inputs" ] || return 0
  begin=$(now_ms)
  base=${base:-$("$DEV/base-image.sh")}
  context="$HOME_DIR/build/stand-in-$name"
  rm -rf "$context"
  mkdir -p "$context"
  cp -a "$ROOT/infra/stand-ins/$name/." "$context/"
  [ "$name" != node ] || add_node "$context"
  timeout 900 docker --host "$DOCKER_ENDPOINT" build --network host --build-arg BASE_IMAGE="$base" \
    --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy \
    --label "voidrunner.inputs=$inputs" --label "voidrunner.stand-in=$name" \
    --tag "$own" "$context" >"$LOG_DIR/stand-in-$name.log" 2>&1 || {
    tail -n 20 "$LOG_DIR/stand-in-$name.log" >&2
    die "the stand-in for $(tag_of "$name") failed; the whole log: $LOG_DIR/stand-in-$name.log"
  }
  rm -rf "$context"
  note "$own built in $((($(now_ms) - begin) / 1000)) s"
}

up() {
  local name tag missing=()
  for name in "${names[@]}"; do
    tag=$(tag_of "$name")
    [ -n "$tag" ] || die "nothing names an image for the stand-in $name"
    if ! here "$tag" || is_stand_in "$tag"; then missing+=("$name"); fi
  done
  [ ${#missing[@]} -gt 0 ] || { say 'Every image is here'; return; }
  if "$DEV/registry-answers.sh"; then
    say 'A container registry answers: Compose pulls what is missing'
    down
    return
  fi
  say "No container registry answers: stand-ins made from Debian packages take these tags for the test"
  choose_builder
  [[ " ${missing[*]} " == *' node '* ]] || build node
  for name in "${missing[@]}"; do
    build "$name"
    engine tag "voidrunner/stand-in-$name:latest" "$(tag_of "$name")"
    note "$(tag_of "$name") is a stand-in"
  done
}

down() {
  local name tag
  for name in "${names[@]}"; do
    tag=$(tag_of "$name")
    if is_stand_in "$tag"; then engine image rm "$tag" >/dev/null; fi
  done
}

case "$action" in
  up) up ;;
  down) down ;;
  *) die 'usage: stand-ins.sh up|down' ;;
esac
