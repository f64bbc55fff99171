#!/usr/bin/env bash
# Prints the base of the runtime images, Debian 13 whatever the host is, making it from Debian packages
# where no registry answers. base-image.sh --if-here: prints nothing where there is none yet.
. "$(dirname "$0")/lib.sh"
need_settings

release=trixie
public=debian:$release-slim
own=voidrunner/base:$release

for image in "$public" "$own"; do
  if engine image inspect "$image" >/dev/null 2>&1; then echo "$image"; exit; fi
done
# The identity of the base is part of what decides whether an image is current: nothing is made for that.
[ "${1:-}" != --if-here ] || exit 0
if [ "${VOIDRUNNER_MODE:-}" = compose ] || "$DEV/registry-answers.sh"; then
  if engine pull --quiet "$public" >"$LOG_DIR/base-image.log" 2>&1; then echo "$public"; exit; fi
fi

have mmdebstrap || die 'no container registry answers and mmdebstrap is missing: run `make setup`'
begin=$(now_ms)
note "no container registry: making $own from Debian packages" >&2

# The host's own mirrors, whichever release of Debian it is, else mmdebstrap's defaults; and what the
# host says about release files whose date has passed.
host_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-$release}")
sources=$(apt-get indextargets --format 'deb $(SITE) $(RELEASE) main' 'Created-By: Packages' \
  'Origin: Debian' 'Component: main' | sed -nE "s/ $host_release((-updates|-security)?) main$/ $release\\1 main/p" || true)
options=()
for key in Acquire::Check-Valid-Until Acquire::Check-Date Acquire::http::Proxy Acquire::https::Proxy; do
  value=$(apt-config dump --format '%v' "$key")
  [ -z "$value" ] || options+=("--aptopt=$key \"$value\"")
done

# The package lists stay in: the images built on it then only ask whether they are still current.
mmdebstrap --quiet --variant=minbase --skip=cleanup/apt/lists "${options[@]}" \
  --aptopt='Acquire::Languages "none"' \
  --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$release" - ${sources:+"$sources"} 2>"$LOG_DIR/base-image.log" |
  engine import --change 'CMD ["bash"]' - "$own" >>"$LOG_DIR/base-image.log" 2>&1 || {
    tail -n 20 "$LOG_DIR/base-image.log" >&2
    die "cannot make $own; the whole log: $LOG_DIR/base-image.log"
  }
note "$own made in $((($(now_ms) - begin) / 1000)) s" >&2
echo "$own"
