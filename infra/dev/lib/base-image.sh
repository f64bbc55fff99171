# The base of the runtime images: Debian 13 on every host.

base_release=trixie
base_public=debian:$base_release-slim
base_own=voidrunner/base:$base_release

existing_base_image() {
  local image
  for image in "$base_public" "$base_own"; do
    if image_exists "$image"; then echo "$image"; return; fi
  done
}

# Prints the base image. Pulls it or, if no registry answers, makes it from Debian packages.
base_image() {
  # The launcher's tests build beside the images: one process makes the base, the other waits for it.
  exec 7>"$HOME_DIR/base-image.lock"
  flock -w 900 7 || die 'another process has been making the base image for 15 minutes'
  local image
  image=$(existing_base_image)
  if [ -n "$image" ]; then echo "$image"; return; fi
  if { [ "${VOIDRUNNER_MODE:-}" = compose ] || registry_answers; } &&
    engine pull --quiet "$base_public" >"$LOG_DIR/base-image.log" 2>&1; then echo "$base_public"; return; fi
  have mmdebstrap || die "no container registry answers and mmdebstrap is missing: run 'make setup'"
  local begin=$SECONDS
  note "no container registry: making $base_own from Debian packages" >&2
  logged base-image "making $base_own failed" import_base_image
  note "$base_own made in $((SECONDS - begin)) s" >&2
  echo "$base_own"
}

import_base_image() {
  local host_release sources options=() key value
  # The host's own mirrors, whichever release of Debian it runs, else mmdebstrap's defaults. Also the host's
  # settings about release files whose date has passed, and its proxies.
  host_release=$(sed -n 's/^VERSION_CODENAME="\{0,1\}\([a-z]*\).*/\1/p' /etc/os-release)
  # shellcheck disable=SC2016 # apt-get replaces these, not the shell
  sources=$(apt-get indextargets --format 'deb $(SITE) $(RELEASE) main' 'Created-By: Packages' \
    'Origin: Debian' 'Component: main' |
    sed -nE "s/ ${host_release:-$base_release}((-updates|-security)?) main$/ $base_release\\1 main/p" || true)
  for key in Acquire::Check-Valid-Until Acquire::Check-Date Acquire::http::Proxy Acquire::https::Proxy; do
    value=$(apt-config dump --format '%v' "$key")
    [ -z "$value" ] || options+=("--aptopt=$key \"$value\"")
  done

  # The package lists stay in the image: builds on it only ask whether the lists are still current.
  mmdebstrap --quiet --variant=minbase --skip=cleanup/apt/lists "${options[@]}" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$base_release" - ${sources:+"$sources"} |
    engine import --change 'CMD ["bash"]' - "$base_own"
}
