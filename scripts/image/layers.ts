import type { ArchiveEntry } from '../release/archive-entry.ts'
import type { DebianPackage } from './debian-packages.ts'
import type { Platform } from './platforms.ts'

/** The user and group that the companion runs as; numbers, since `runAsNonRoot` cannot judge a name. */
export const USER = 65532

/** Where things are in the image. */
export const PATHS = {
  node: 'usr/bin/node',
  program: 'usr/lib/deckwatch/deckwatch-server.cjs',
  notices: 'usr/share/doc/deckwatch',
} as const

/** Which libraries Node's binary wants, and the package that brings each; the last two of glibc are stubs. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  libc6: ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0'],
  'libstdc++6': ['libstdc++.so.6'],
  'libgcc-s1': ['libgcc_s.so.1'],
}
/** glibc and libgcc speak of these texts, which Debian keeps in one place. */
const LICENCES = ['GPL-2', 'GPL-3', 'LGPL-2.1', 'LGPL-3']

/** Node as it goes into the image, with its licence. */
export interface NodeRuntime {
  readonly version: string
  readonly program: Buffer
  readonly licence: Buffer
}

/** What changes with Node and Debian only: the folders, the runtime with its libraries, and their licences. */
export function runtimeLayer(
  platform: Platform,
  node: NodeRuntime,
  packages: readonly DebianPackage[],
): ArchiveEntry[] {
  const find = (name: string, path: RegExp): Buffer => {
    const debian = packages.find((candidate) => candidate.name === name)
    const [, data] = [...(debian?.files ?? [])].find(([candidate]) => path.test(candidate)) ?? []
    if (!data) throw new Error(`Debian's ${name} ${debian?.version ?? ''} holds no ${path.source}`)
    return data
  }
  const library = (soname: string): RegExp =>
    new RegExp(`^(?:usr/)?lib/[^/]+/${soname.replaceAll(/[.+]/g, '\\$&')}(?:\\.\\d+)*$`)
  const loader = platform.loader.slice(platform.loader.lastIndexOf('/') + 1)
  return withFolders([
    file(PATHS.node, node.program, 0o755),
    file(platform.loader, find('libc6', library(loader)), 0o755),
    ...Object.entries(LIBRARIES).flatMap(([name, sonames]) =>
      sonames.map((soname) => file(`${platform.libraries}/${soname}`, find(name, library(soname)))),
    ),
    ...systemFiles(find('base-files', /^usr\/lib\/os-release$/)),
    file('usr/share/doc/nodejs/LICENSE', node.licence),
    file('usr/share/doc/libc6/copyright', find('libc6', /^usr\/share\/doc\/libc6\/copyright$/)),
    file(
      'usr/share/doc/gcc-12-base/copyright',
      find('gcc-12-base', /^usr\/share\/doc\/gcc-12-base\/copyright$/),
    ),
    ...LICENCES.map((name) =>
      file(
        `usr/share/common-licenses/${name}`,
        find('base-files', new RegExp(`/common-licenses/${name.replace('.', '\\.')}$`)),
      ),
    ),
    // Where scanners for known vulnerabilities look in images without dpkg's own database.
    ...packages.map(({ name, control }) => file(`var/lib/dpkg/status.d/${name}`, Buffer.from(control))),
    folder('dev/', 0o755),
    folder('proc/', 0o755),
    folder('sys/', 0o755),
    folder('tmp/', 0o1777),
    folder('data/', 0o755, USER),
  ])
}

/** What changes with each version of deckwatch. */
export function programLayer(program: Buffer, notices: string, licence: Buffer): ArchiveEntry[] {
  return withFolders([
    file(PATHS.program, program),
    file(`${PATHS.notices}/LICENSE`, licence),
    file(`${PATHS.notices}/THIRD-PARTY-NOTICES.txt`, Buffer.from(notices)),
  ])
}

/** Few programs would miss these, but `os.userInfo()` throws without a user, and hosts files come second without an order. */
function systemFiles(osRelease: Buffer): ArchiveEntry[] {
  const users = ['root:x:0:0:root:/:/sbin/nologin', `nonroot:x:${USER}:${USER}:nonroot:/data:/sbin/nologin`]
  const text = (name: string, lines: readonly string[]) => file(name, Buffer.from(`${lines.join('\n')}\n`))
  return [
    text('etc/passwd', users),
    text('etc/group', ['root:x:0:', `nonroot:x:${USER}:`]),
    text('etc/nsswitch.conf', ['passwd: files', 'group: files', 'hosts: files dns']),
    file('etc/os-release', osRelease),
  ]
}

function file(name: string, data: Buffer, mode = 0o644): ArchiveEntry {
  return { name, mode, data }
}

function folder(name: string, mode: number, owner = 0): ArchiveEntry {
  return { name, mode, data: Buffer.alloc(0), owner }
}

/** Every folder on the way is an entry of its own, lest its mode be left to who unpacks it. */
function withFolders(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const all = new Map(entries.map((entry) => [entry.name, entry]))
  for (const { name } of entries) {
    for (let at = name.indexOf('/'); at >= 0 && at < name.length - 1; at = name.indexOf('/', at + 1)) {
      const above = name.slice(0, at + 1)
      if (!all.has(above)) all.set(above, folder(above, 0o755))
    }
  }
  return [...all.values()]
}
