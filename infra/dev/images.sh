#!/usr/bin/env bash
# Builds the runtime images: images.sh [python|bash|go|javascript]... and the launcher that is in each
# of them. An image whose label holds the hash of what it is built from is up to date.
. "$(dirname "$0")/lib.sh"
need_settings
lock_checkout

names=("$@")
[ $# -gt 0 ] || names=(python bash go javascript)
names=(launcher "${names[@]}")

launcher_image=voidrunner/launcher:latest

tag_of() {
  local key="EXECUTOR_${1^^}_IMAGE"
  if [ "$1" = launcher ]; then printf '%s' "$launcher_image"; else printf '%s' "${!key}"; fi
}

folder_of() { if [ "$1" = launcher ]; then echo "$ROOT/infra/launcher"; else echo "$ROOT/infra/images/$1"; fi; }

# Empty where there is no base yet: no image is up to date then.
base_id() { engine image inspect --format '{{.Id}}' "${base:-$("$DEV/base-image.sh" --if-here)}" 2>/dev/null || true; }

# Everything that decides what is in image $1.
inputs_of() {
  (
    cd "$(folder_of "$1")" && find . -type f -not -path './test/*' -print0 | sort -z | xargs -0 sha256sum
    [ "$1" != javascript ] || grep -h '"version"' "$ROOT"/node_modules/{node,@swc/core}/package.json
    if [ "$1" = launcher ]; then base_id; else inputs_of launcher; fi
  ) | sha256sum | cut -d' ' -f1
}

current() {
  [ "$(engine image inspect --format '{{index .Config.Labels "voidrunner.inputs"}}' "$(tag_of "$1")" 2>/dev/null)" = "$(inputs_of "$1")" ]
}

build() {
  local name=$1 begin context
  begin=$(now_ms)
  context="$HOME_DIR/build/$name"
  rm -rf "$context"
  mkdir -p "$context"
  cp -a "$(folder_of "$name")/." "$context/"
  if [ "$name" = javascript ]; then
    cp -L "$NODE" "$context/node"
    # Of this host's architecture and libc, as npm has chosen.
    cp -L "$ROOT"/node_modules/@swc/core-linux-*/swc.*.node "$context/swc.node"
  fi
  local arguments=(--build-arg BASE_IMAGE="$base" --label "voidrunner.inputs=$(inputs_of "$name")")
  # The launcher's tests are a stage of their own (launcher-test.sh).
  if [ "$name" = launcher ]; then arguments+=(--target launcher); else arguments+=(--build-arg LAUNCHER_IMAGE="$launcher_image"); fi
  # Host network: our own engine has no bridge.
  engine build --network host "${arguments[@]}" \
    --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy \
    --tag "$(tag_of "$name")" "$context" >"$LOG_DIR/image-$name.log" 2>&1 || {
    tail -n 20 "$LOG_DIR/image-$name.log" >&2
    warn "image $name failed; the whole log: $LOG_DIR/image-$name.log"
    return 1
  }
  rm -rf "$context"
  note "$(tag_of "$name") built in $((($(now_ms) - begin) / 1000)) s"
}

todo=()
for name in "${names[@]}"; do current "$name" || todo+=("$name"); done
if [ ${#todo[@]} -eq 0 ]; then
  say "Runtime images are up to date (${names[*]})"
  exit 0
fi

say "Building runtime images: ${todo[*]}"
choose_builder
base=$("$DEV/base-image.sh")

# One after the other: two builds at once share the disk and the two cores, and the first
# language would only be ready later.
for name in "${todo[@]}"; do build "$name"; done
