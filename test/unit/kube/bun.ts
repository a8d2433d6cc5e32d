import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { skip } from '../../kit/skip.ts'

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@oven/bun-linux-x64-baseline/bin/bun',
  'linux-arm64': '@oven/bun-linux-aarch64/bin/bun',
  'darwin-arm64': '@oven/bun-darwin-aarch64/bin/bun',
  'win32-x64': '@oven/bun-windows-x64-baseline/bin/bun.exe',
  'win32-arm64': '@oven/bun-windows-aarch64/bin/bun.exe',
}

/** The Bun that the lock file pins for this platform; skips the suite where there is none. */
export function requireBun(context: Mocha.Context): string {
  const file = PACKAGES[`${process.platform}-${process.arch}`]
  if (file === undefined) skip(context, `no Bun is pinned for ${process.platform} ${process.arch}`)
  try {
    const path = createRequire(import.meta.url).resolve(file)
    if (existsSync(path)) return path
  } catch {
    // Not installed: an optional dependency.
  }
  return skip(context, `${file} is not installed`)
}
