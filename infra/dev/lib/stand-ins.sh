# Images that docker-compose.yml and Dockerfile name, made from Debian packages (infra/stand-ins) if no registry
# answers. They get the public tags for a test only; the builds stay as voidrunner/stand-in-NAME. An image that is
# not ours is never touched.

# node is first: others are built on it.
stand_ins=(node postgres redis nats jaeger socket-proxy)
npm_version=11.21.2 # of the 11 that Node 24 contains

# The tag that NAME replaces, from the file that names it.
replaced_tag() {
  sed -nE "s#^(ARG NODE_IMAGE=| *image: )(([a-z]+/)?$1(tracing/[a-z-]+)?:.*)\$#\2#p" "$ROOT"/{Dockerfile,docker-compose.yml}
}
is_stand_in() { [ -n "$(image_label "$1" stand-in)" ]; }

certificates() { printf '%s' "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"; }

# Hash of everything that determines the content of stand-in $1.
inputs_of_stand_in() {
  {
    folder_hashes "$ROOT/infra/stand-ins/$1"
    case $1 in
      node)
        echo "npm $npm_version $(npm config get registry)"
        grep '"version"' "$ROOT/node_modules/node/package.json"
        sha256sum "$(certificates)" 2>/dev/null | cut -d' ' -f1 || true
        ;;
      jaeger | socket-proxy) inputs_of_stand_in node ;;
    esac
  } | sha256sum | cut -d' ' -f1
}

# What the stand-in for node takes from this host.
add_node() {
  local context=$1
  cp -L "$NODE" "$context/node"
  (cd "$context" && npm pack --silent "npm@$npm_version" >/dev/null && mv npm-*.tgz npm.tgz)
  printf 'registry=%s\n' "$(npm config get registry)" >"$context/npmrc"
  cat "$(certificates)" >"$context/certificates.crt" 2>/dev/null || : >"$context/certificates.crt"
}

build_stand_in() { # NAME
  local name=$1 own="voidrunner/stand-in-$1:latest" inputs base context begin=$SECONDS
  inputs=$(inputs_of_stand_in "$name")
  [ "$(image_label "$own" inputs)" != "$inputs" ] || return 0
  base=$(base_image)
  context=$(build_context "stand-in-$name" "$ROOT/infra/stand-ins/$name")
  [ "$name" != node ] || add_node "$context"
  build_image "stand-in-$name" "$own" "$context" --build-arg BASE_IMAGE="$base" \
    --label "voidrunner.inputs=$inputs" --label "voidrunner.stand-in=$name"
  rm -rf "$context"
  note "$own built in $((SECONDS - begin)) s"
}

# Afterwards each image exists, can be pulled, or has a stand-in under its tag.
stand_ins_up() {
  local name tag missing=()
  for name in "${stand_ins[@]}"; do
    tag=$(replaced_tag "$name")
    [ -n "$tag" ] || die "no file names an image for the stand-in $name"
    if ! image_exists "$tag" || is_stand_in "$tag"; then missing+=("$name"); fi
  done
  [ ${#missing[@]} -gt 0 ] || { say 'No stand-in is needed: every image exists'; return; }
  if registry_answers; then stand_ins_down; say 'A container registry answers: Compose pulls what is missing'; return; fi
  say 'No container registry answers: stand-ins made from Debian packages take these tags for the test'
  [[ " ${missing[*]} " == *' node '* ]] || build_stand_in node
  for name in "${missing[@]}"; do
    build_stand_in "$name"
    engine tag "voidrunner/stand-in-$name:latest" "$(replaced_tag "$name")"
    note "$(replaced_tag "$name") is a stand-in"
  done
}

# So that nobody mistakes a stand-in for the real image.
stand_ins_down() {
  local name tag
  for name in "${stand_ins[@]}"; do
    tag=$(replaced_tag "$name")
    if is_stand_in "$tag"; then engine image rm "$tag" >/dev/null; fi
  done
}
