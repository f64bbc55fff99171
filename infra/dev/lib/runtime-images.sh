# The images that user code runs in, and the launcher that each of them contains.

# Those of `make dev-up`. python-data is made from python.
default_images=(python bash go javascript python-data)
launcher_image=voidrunner/launcher:latest

tag_of_image() { printf 'voidrunner/%s:latest' "$1"; }
folder_of_image() { if [ "$1" = launcher ]; then echo "$ROOT/infra/launcher"; else echo "$ROOT/infra/images/$1"; fi; }

# Hash of everything that determines the content of image $1. Without a base image no image is up to date.
inputs_of_image() {
  {
    folder_hashes "$(folder_of_image "$1")" -not -path './test/*'
    [ "$1" != javascript ] || grep -h '"version"' "$ROOT"/node_modules/{node,@swc/core,node-api-headers}/package.json
    case "$1" in
      launcher) engine image inspect --format '{{.Id}}' "$(existing_base_image)" 2>/dev/null || true ;;
      python-data) inputs_of_image python ;;
      *) inputs_of_image launcher ;;
    esac
    # Their labels are made from these.
    runtimes_of_image "$1" | while read -r runtime; do cat "$runtimes/$runtime.yaml"; done
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
  case "$name" in
    launcher) options+=(--target launcher) ;;
    python-data) options+=(--build-arg PYTHON_IMAGE="$(tag_of_image python)") ;;
    *) options+=(--build-arg LAUNCHER_IMAGE="$launcher_image") ;;
  esac
  build_image "image-$name" "$(tag_of_image "$name")" "$context" "${options[@]}"
  rm -rf "$context"
  label_versions "$name"
  note "$(tag_of_image "$name") built in $((SECONDS - begin)) s"
}

# What each runtime's version command prints becomes a label of its image, which workers read (runtime-images.ts).
label_versions() {
  local name=$1 tag runtime version labels=() command
  tag=$(tag_of_image "$name")
  for runtime in $(runtimes_of_image "$name"); do
    # A list in one line; words of a version command contain neither commas nor quotes.
    read -ra command <<<"$(sed -n 's/^version_command: \[\(.*\)\]$/\1/p' "$runtimes/$runtime.yaml" | tr -d ,)"
    version=$(engine run --rm --network none --entrypoint "${command[0]}" "$tag" "${command[@]:1}" 2>&1 | grep -m 1 .)
    labels+=(--label "voidrunner.version.$runtime=$version")
  done
  [ ${#labels[@]} -gt 0 ] || return 0
  local context="$HOME_DIR/build/$name-labels"
  mkdir -p "$context"
  echo "FROM $tag" >"$context/Dockerfile"
  build_image "image-$name" "$tag" "$context" "${labels[@]}"
  rm -rf "$context"
}

runtimes=${RUNTIMES_DIR:-runtimes}
case $runtimes in /*) ;; *) runtimes=$ROOT/$runtimes ;; esac

# The runtimes whose files name image $1.
runtimes_of_image() {
  grep -lx "image: $(tag_of_image "$1")" "$runtimes"/*.yaml 2>/dev/null | while read -r file; do basename "$file" .yaml; done
}

# The image of runtime $1, if it is one of ours. The name of an image is one, too.
image_of_runtime() {
  local image
  if [ -f "$ROOT/infra/images/$1/Dockerfile" ]; then echo "$1"; return; fi
  [ -f "$runtimes/$1.yaml" ] || die "there is no runtime $1: $(cd "$runtimes" && echo *.yaml | sed 's/[.]yaml//g')"
  image=$(sed -n 's|^image: voidrunner/\(.*\):latest$|\1|p' "$runtimes/$1.yaml")
  [ -f "$ROOT/infra/images/$image/Dockerfile" ] || die "the image of $1 is not built here"
  echo "$image"
}

# images_of_runtimes [RUNTIME...|all]: without one, those of `make dev-up`; each once, python before python-data.
images_of_runtimes() {
  local runtime
  if [ $# = 0 ]; then printf '%s\n' "${default_images[@]}"; return; fi
  if [ "$*" = all ]; then
    printf '%s\n' "${default_images[@]}"
    (cd "$ROOT/infra/images" && printf '%s\n' *)
  else
    for runtime in "$@"; do
      [ "$runtime" != python-data ] || echo python
      image_of_runtime "$runtime"
    done
  fi | awk '!seen[$0]++'
}

# build_runtime_images [RUNTIME...|all]: builds what is missing or out of date.
build_runtime_images() {
  local name base names=(launcher) outdated=()
  # A command substitution, so that an unknown name ends this process.
  name=$(images_of_runtimes "$@")
  mapfile -t -O 1 names <<<"$name"
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
  for image in "$base_own" "$launcher_image" $(cd "$ROOT/infra/images" && printf 'voidrunner/%s:latest ' *); do
    theirs=$(docker --host "$from" image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
    if [ -n "$theirs" ] && ! image_exists "$image"; then copied+=("$image"); fi
  done
  [ ${#copied[@]} -gt 0 ] || return 0
  docker --host "$from" save "${copied[@]}" | engine load --quiet >/dev/null
  note "copied from $from in $((SECONDS - begin)) s: ${copied[*]}"
}
