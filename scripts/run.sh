#!/bin/sh
# Runs one of the project's programs on a fresh clone as well: installs first what is missing.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
exec node "$@"
