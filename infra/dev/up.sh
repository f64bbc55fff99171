#!/usr/bin/env bash
# From nothing to migrated, with as much as possible at the same time: the images (Debian's
# packages) build while npm installs and the schema is made. Only the javascript image needs what
# npm brings.
. "$(dirname "$0")/lib.sh"
lock_checkout

"$DEV/prepare.sh"
"$DEV/services-start.sh"
"$DEV/images.sh" python bash go &
images=$!
failed=
{ "$DEV/dependencies.sh" && "$DEV/migrate.sh" up; } || failed='dependencies or schema'
wait "$images" || failed="${failed:+$failed, }images"
[ -z "$failed" ] || die "could not set up: $failed (see above)"
"$DEV/images.sh" javascript
