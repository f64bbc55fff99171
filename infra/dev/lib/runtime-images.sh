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
    runtimes_of_image "$1" | while read -r runtime; do cat "$(runtimes_folder)/$runtime.yaml"; done
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
  options=(--build-arg BASE_IMAGE="$2")
  # The launcher's tests are a stage of their own (`test launcher`).
  case "$name" in
    launcher) options+=(--target launcher) ;;
    python-data) options+=(--build-arg PYTHON_IMAGE="$(tag_of_image python)") ;;
    *) options+=(--build-arg LAUNCHER_IMAGE="$launcher_image") ;;
  esac
  build_image "image-$name" "$(tag_of_image "$name")-unlabelled" "$context" "${options[@]}"
  rm -rf "$context"
  label_versions "$name" "$(tag_of_image "$name")-unlabelled"
  note "$(tag_of_image "$name") built in $((SECONDS - begin)) s"
}

# What each runtime's version command prints becomes a label of its image, which workers read (runtime-images.ts). Only
# then does the image get its tag: no worker sees one without labels.
label_versions() { # NAME UNLABELLED
  local name=$1 image=$2 runtime labels=() command output
  for runtime in $(runtimes_of_image "$name"); do
    mapfile -t command < <(version_command "$runtime")
    [ ${#command[@]} -gt 0 ] || die "$runtime.yaml: the version_command must be a list in one line: [WORD, WORD]"
    output=$(engine run --rm --network none --entrypoint "${command[0]}" "$image" "${command[@]:1}" 2>&1) ||
      die "the version command of $runtime failed: $output"
    labels+=(--label "voidrunner.version.$runtime=$(awk 'NF { print; exit }' <<<"$output")")
  done
  local context="$HOME_DIR/build/$name-labels"
  mkdir -p "$context"
  echo "FROM $image" >"$context/Dockerfile"
  labels+=(--label "voidrunner.inputs=$(inputs_of_image "$name")")
  build_image "image-$name" "$(tag_of_image "$name")" "$context" "${labels[@]}"
  rm -rf "$context"
  engine image rm "$image" >/dev/null
}

# version_command RUNTIME: its words, one per line. Not read by a YAML parser: images are built while npm installs.
version_command() {
  sed -n 's/^version_command: \[\(.*\)\]$/\1/p' "$(runtimes_folder)/$1.yaml" | tr , '\n' |
    sed "s/^ *//; s/ *$//; s/^\(['\"]\)\(.*\)\1$/\2/"
}

# RUNTIMES_DIR may be set in .env, which is read late.
runtimes_folder() {
  local folder=${RUNTIMES_DIR:-runtimes}
  case $folder in /*) echo "$folder" ;; *) echo "$ROOT/$folder" ;; esac
}

# The runtimes whose files name image $1.
runtimes_of_image() {
  local file
  for file in "$(runtimes_folder)"/*.yaml; do
    if grep -qx "image: $(tag_of_image "$1")" "$file"; then basename "$file" .yaml; fi
  done
}

# The image of runtime $1, if it is one of ours. The name of an image is one, too.
image_of_runtime() {
  local image folder
  if [ -f "$ROOT/infra/images/$1/Dockerfile" ]; then echo "$1"; return; fi
  folder=$(runtimes_folder)
  [ -f "$folder/$1.yaml" ] || die "there is no runtime $1: $(cd "$folder" && echo *.yaml | sed 's/[.]yaml//g')"
  image=$(sed -n 's|^image: voidrunner/\(.*\):latest$|\1|p' "$folder/$1.yaml")
  [ -f "$ROOT/infra/images/$image/Dockerfile" ] || die "the image of $1 is not built here"
  echo "$image"
}

own_images() { (cd "$ROOT/infra/images" && printf '%s\n' *); }

# images_of_runtimes [RUNTIME...|all]: without one, those of `make dev-up`, and others that were built before; each
# once, python before python-data.
images_of_runtimes() {
  local runtime
  if [ $# = 0 ]; then
    {
      printf '%s\n' "${default_images[@]}"
      for runtime in $(own_images); do if image_exists "$(tag_of_image "$runtime")"; then echo "$runtime"; fi; done
    } | awk '!seen[$0]++'
    return
  fi
  if [ "$*" = all ]; then
    printf '%s\n' "${default_images[@]}"
    own_images
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
  for image in "$base_own" "$launcher_image" $(own_images | sed 's|.*|voidrunner/&:latest|'); do
    theirs=$(docker --host "$from" image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
    if [ -n "$theirs" ] && ! image_exists "$image"; then copied+=("$image"); fi
  done
  [ ${#copied[@]} -gt 0 ] || return 0
  docker --host "$from" save "${copied[@]}" | engine load --quiet >/dev/null
  note "copied from $from in $((SECONDS - begin)) s: ${copied[*]}"
}
