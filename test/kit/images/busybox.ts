import { readFileSync } from 'node:fs'
import { tar, type TarEntry } from './tar.ts'

const APPLETS =
  'cat date echo env false head id kill ls mkdir nc rm seq sh sleep tail touch true wget yes'.split(' ')

/** Where Debian's busybox-static puts its one program. */
export const BUSYBOX = '/bin/busybox'

/** Whether a program is statically linked, as one in an image without libraries must be. */
export function isStatic(program: string): boolean {
  // A dynamic program names its loader right after its program headers.
  return !readFileSync(program).subarray(0, 4096).includes('/ld-')
}

/** A layer with a shell and small commands, made from the host's static busybox. */
export function busyboxLayer(): Buffer {
  return tar([
    { path: 'bin/' },
    { path: 'bin/busybox', mode: 0o755, contents: readFileSync(BUSYBOX) },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    { path: 'etc/' },
    { path: 'etc/passwd', contents: Buffer.from('root:x:0:0:root:/:/bin/sh\n') },
    { path: 'tmp/', mode: 0o1777 },
  ])
}

/** A layer with these files; a path is relative to the root. */
export function filesLayer(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return tar(
    Object.entries(files).map(([path, contents]): TarEntry => ({ path, contents: Buffer.from(contents) })),
  )
}
