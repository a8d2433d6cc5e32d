# Sourced in the repository's root by run.sh: leaves the locked dependencies installed and their Node,
# which is newer than most systems' own, first on PATH.
if ! command -v npm >/dev/null; then
  echo 'error: npm is missing (Debian: apt-get install npm)' >&2
  exit 3
fi
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ -n "$(find package-lock.json -newer "$installed")" ]; then
  echo 'installing the locked dependencies'
  npm ci --include=dev
fi
PATH=$PWD/node_modules/.bin:$PATH
export PATH
if ! node -e 'var v = process.versions.node.split("."); process.exit(v[0] > 24 || (v[0] == 24 && v[1] >= 15) ? 0 : 1)'; then
  echo "error: Node 24.15 or newer is needed; npm has none for this platform and the system's is $(node -v)" >&2
  exit 3
fi
