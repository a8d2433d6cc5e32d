/** Where a launcher finds Node and the package folder (the one with `bin` and `dist`), relative to itself. */
export interface LauncherPaths {
  readonly node: string
  readonly packageFolder: string
}

const FIND_FOLDER = `#!/bin/sh
self=$0
case $self in */*) ;; *) self=./$self ;; esac
# macOS before 12.3 has no readlink -f.
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=\${self%/*}/$target ;; esac
done
folder=\${self%/*}
`

/** A POSIX shell launcher that starts the plugin it is called as on Node, from wherever a symlink to it lies. */
export function shellLauncher({ node, packageFolder }: LauncherPaths): string {
  return `${FIND_FOLDER}plugin=\${0##*/}
[ -e "$folder/${packageFolder}/bin/$plugin.cjs" ] || plugin=kubectl-deckwatch
exec "$folder/${node}" "$folder/${packageFolder}/bin/$plugin.cjs" "$@"
`
}

/** A POSIX shell launcher that starts one program on Node, both found relative to the launcher itself. */
export function programLauncher({
  node,
  nodeFlags,
  program,
}: {
  readonly node: string
  readonly nodeFlags: readonly string[]
  readonly program: string
}): string {
  return `${FIND_FOLDER}exec "$folder/${node}" ${nodeFlags.join(' ')} "$folder/${program}" "$@"
`
}
