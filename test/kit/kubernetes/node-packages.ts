import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { withoutServices } from '../debian-package.ts'
import type { Progress } from '../go-build.ts'
import { BUSYBOX, isStatic } from '../images/busybox.ts'

/** Debian's folder of CNI plugins. */
export const CNI_PLUGINS = '/usr/lib/cni'

/** What a node runs besides Kubernetes, and the Debian package that brings each. */
const NEEDED: readonly { readonly debianPackage: string; readonly isThere: () => boolean }[] = [
  { debianPackage: 'containerd', isThere: () => isProgram('containerd') && isProgram('ctr') },
  { debianPackage: 'runc', isThere: () => isProgram('runc') },
  { debianPackage: 'containernetworking-plugins', isThere: () => existsSync(join(CNI_PLUGINS, 'bridge')) },
  { debianPackage: 'iptables', isThere: () => isProgram('iptables') },
  { debianPackage: 'conntrack', isThere: () => isProgram('conntrack') },
  { debianPackage: 'busybox-static', isThere: () => existsSync(BUSYBOX) && isStatic(BUSYBOX) },
  { debianPackage: 'iproute2', isThere: () => isProgram('ip') },
  { debianPackage: 'util-linux', isThere: () => ['flock', 'nsenter', 'setpriv', 'unshare'].every(isProgram) },
]

/** The Debian packages that a node needs and this machine lacks. */
export function missingPackages(): readonly string[] {
  return NEEDED.filter(({ isThere }) => !isThere()).map(({ debianPackage }) => debianPackage)
}

/** Installs what is missing (as root, on Debian); throws one line that names it where that fails. */
export function installPackages(onProgress: Progress): void {
  const missing = missingPackages()
  if (missing.length === 0) return
  onProgress(`installing the Debian packages ${missing.join(', ')}`)
  withoutServices(() => {
    // A fresh machine has no package lists; where the mirror does not answer, those of yesterday may do.
    apt('update')
    const { error, stderr } = apt('install', '--yes', '--no-install-recommends', ...missing)
    const still = missingPackages()
    if (still.length === 0) return
    const why = error?.message ?? stderr.trim().split('\n').at(-1)
    throw new Error(
      `a node needs the Debian packages ${still.join(', ')}, which apt-get did not install: ${why}`,
    )
  })
}

function apt(...args: readonly string[]): SpawnSyncReturns<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', ['--quiet', ...args], { env, encoding: 'utf8' })
}

function isProgram(name: string): boolean {
  // Root's programs are not on everybody's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
