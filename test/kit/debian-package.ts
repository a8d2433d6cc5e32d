import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { baseFolder } from './kubernetes/run-folder.ts'
import { skip } from './skip.ts'

/** Makes sure that a command is there: root gets its Debian packages installed, anyone else a skip that names them. */
export function needCommand(context: Mocha.Context, command: string, packages: readonly string[]): void {
  const isThere = (): boolean => spawnSync(command, ['--version']).error === undefined
  if (isThere()) return
  installPackages(packages)
  if (isThere()) return
  skip(context, `needs ${command} (as root on Debian: apt-get install ${packages.join(' ')})`)
}

/** Installs Debian packages where this is root; whether it helped, the caller sees. */
export function installPackages(packages: readonly string[]): void {
  if (process.getuid?.() !== 0) return
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = () =>
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env: environment })
  withoutServices(() => {
    // A fresh machine has no package lists yet.
    if (install().status !== 0 && spawnSync('apt-get', ['update'], { env: environment }).status === 0)
      install()
  })
}

/**
 * Installs packages, and their services do not start: tests run their own (invoke-rc.d's policy-rc.d). One process at a time:
 * apt-get fails where another holds its lock.
 */
export function withoutServices(install: () => void): void {
  const policy = '/usr/sbin/policy-rc.d'
  const lock = openSync(join(baseFolder(), 'packages.lock'), 'a')
  try {
    // The lock belongs to the open file, which is ours: it lasts until that is closed.
    spawnSync('flock', ['3'], { stdio: ['ignore', 'ignore', 'inherit', lock] })
    if (existsSync(policy)) return install()
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    try {
      install()
    } finally {
      rmSync(policy)
    }
  } finally {
    closeSync(lock)
  }
}
