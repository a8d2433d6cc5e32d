import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const ME = `process ${process.pid}`

/** What waiting for a lock may be told. */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** Called once when somebody else holds it, with what they wrote about themselves. */
  readonly onWait?: (holder: string) => void
}

/**
 * Takes a lock that at most one process on this host holds, waiting for it; the promise gives its release.
 * The kernel frees it when this process dies, however it dies, so there is no stale lock to judge.
 */
export async function acquireHostLock(path: string, options: LockOptions = {}): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true })
  const immediate = await hold(path, ['--nonblock'], options.signal)
  if (immediate) return immediate
  const holder = readFileSync(path, 'utf8').trim()
  if (holder === ME) throw new Error(`this process would wait for itself: it holds ${path}`)
  options.onWait?.(holder || 'another process')
  const later = await hold(path, [], options.signal)
  if (!later) throw new Error(`the lock ${path} could not be taken: flock ended without it`)
  return later
}

/** A child holds the lock for as long as its stdin stays open, which ends with this process at the latest. */
function hold(
  path: string,
  flags: readonly string[],
  signal?: AbortSignal,
): Promise<(() => void) | undefined> {
  signal?.throwIfAborted()
  const holder = spawn(
    'flock',
    [...flags, '--no-fork', path, 'sh', '-c', 'echo held && exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      // In a process group of its own: Ctrl-C must not free the lock while its owner still cleans up.
      detached: true,
    },
  )
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      holder.kill('SIGKILL')
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    holder.once('error', (cause) =>
      reject(new Error('flock (Debian package util-linux) is needed', { cause })),
    )
    holder.once('exit', () => {
      signal?.removeEventListener('abort', giveUp)
      resolve(undefined)
    })
    holder.stdout.once('data', () => {
      signal?.removeEventListener('abort', giveUp)
      writeFileSync(path, ME)
      holder.stdout.destroy()
      // It holds the lock for this process, not this process for it.
      holder.unref()
      resolve(() => holder.stdin.end())
    })
  })
}
