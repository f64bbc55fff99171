# The images that user code runs in, and the launcher that each of them contains.

languages=(python bash go javascript)
launcher_image=voidrunner/launcher:latest

tag_of_image() {
  local key="EXECUTOR_${1^^}_IMAGE"
  if [ "$1" = launcher ]; then printf '%s' "$launcher_image"; else printf '%s' "${!key}"; fi
}
folder_of_image() { if [ "$1" = launcher ]; then echo "$ROOT/infra/launcher"; else echo "$ROOT/infra/images/$1"; fi; }

# Hash of everything that determines the content of image $1. Without a base image no image is up to date.
inputs_of_image() {
  {
    folder_hashes "$(folder_of_image "$1")" -not -path './test/*'
    [ "$1" != javascript ] || grep -h '"version"' "$ROOT"/node_modules/{node,@swc/core,node-api-headers}/package.json
    if [ "$1" = launcher ]; then
      engine image inspect --format '{{.Id}}' "$(existing_base_image)" 2>/dev/null || true
    else
      inputs_of_image launcher
    fi
  } | sha256sum | cut -d' ' -f1
}

is_current() { [ "$(image_label "$(tag_of_image "$1")" inputs)" = "$(inputs_of_image "$1")" ]; }

build_runtime_image() { # NAME BASE
  local name=$1 begin=$SECONDS context options
  context=$(build_context "$name" "$(folder_of_image "$name")")
  if [ "$name" = javascript ]; then
    cp -L "$NODE" "$context/node"
    # npm has chosen the binding for this host's architecture and libc.
    cp -L "$ROOT"/node_modules/@swc/core-linux-*/swc.*.node "$context/swc.node"
    cp -RL "$ROOT/node_modules/node-api-headers/include" "$context/node-api"
  fi
  options=(--build-arg BASE_IMAGE="$2" --label "voidrunner.inputs=$(inputs_of_image "$name")")
  # The launcher's tests are a stage of their own (`test launcher`).
  if [ "$name" = launcher ]; then options+=(--target launcher); else options+=(--build-arg LAUNCHER_IMAGE="$launcher_image"); fi
  build_image "image-$name" "$(tag_of_image "$name")" "$context" "${options[@]}"
  rm -rf "$context"
  note "$(tag_of_image "$name") built in $((SECONDS - begin)) s"
}

# build_runtime_images [LANGUAGE...]: builds what is missing or out of date.
build_runtime_images() {
  local name base names=(launcher "${@:-"${languages[@]}"}") outdated=()
  for name in "${names[@]}"; do is_current "$name" || outdated+=("$name"); done
  [ ${#outdated[@]} -gt 0 ] || { say "Runtime images are up to date (${names[*]})"; return; }
  say "Building runtime images: ${outdated[*]}"
  base=$(base_image)
  # One after the other: two builds at once share the disk and the two cores, and the first language would only
  # be ready later.
  for name in "${outdated[@]}"; do build_runtime_image "$name" "$base"; done
}

# seed_images ENDPOINT: copies the runtime images and their base from the engine at ENDPOINT, if it has them and
# ours does not. build_runtime_images then builds only what is missing or out of date.
seed_images() {
  local from=$1 image theirs begin=$SECONDS copied=()
  if [ -z "$from" ] || [ "$from" = "$DOCKER_ENDPOINT" ] || ! docker_answers "$from"; then return 0; fi
  for image in "$base_own" "$launcher_image" "$EXECUTOR_PYTHON_IMAGE" "$EXECUTOR_BASH_IMAGE" "$EXECUTOR_GO_IMAGE" \
    "$EXECUTOR_JAVASCRIPT_IMAGE"; do
    theirs=$(docker --host "$from" image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
    if [ -n "$theirs" ] && ! image_exists "$image"; then copied+=("$image"); fi
  done
  [ ${#copied[@]} -gt 0 ] || return 0
  docker --host "$from" save "${copied[@]}" | engine load --quiet >/dev/null
  note "copied from $from in $((SECONDS - begin)) s: ${copied[*]}"
}
