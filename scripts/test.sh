#!/bin/sh
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
exec node scripts/test.ts "$@"
