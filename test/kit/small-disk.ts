import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { skip } from './skip.ts'

/** A small file system over a folder, in a mount space of its own. */
export interface SmallDisk {
  /** Where it is, for processes started with `enter`. */
  readonly folder: string
  /** What a program and its arguments are put behind, so that they see it. */
  readonly enter: readonly string[]
  /** Takes all the space that is left. */
  fill(): void
  /** Gives that back. */
  free(): void
  unmount(): Promise<void>
}

/**
 * Mounts a tmpfs of so many bytes; the test is skipped where that is not allowed. It is held by a process that ends with
 * this one, whatever ends that, and goes with it and those that entered.
 */
export async function mountSmallDisk(
  context: Mocha.Context,
  folder: string,
  sizeBytes: number,
): Promise<SmallDisk> {
  if (process.getuid?.() !== 0) skip(context, 'only root may mount a small file system')
  mkdirSync(folder, { recursive: true })
  const mounted = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec cat'
  const holder = spawn('unshare', ['--mount', 'sh', '-c', mounted, 'sh', String(sizeBytes), folder])
  const why = await outcome(holder)
  if (why !== undefined) {
    if (/permission denied|not permitted/i.test(why))
      skip(context, `no file system may be mounted here: ${why}`)
    throw new Error(why)
  }
  // The holder's own view of its files.
  const inside = join('/proc', String(holder.pid), 'root', folder)
  const ballast = join(inside, 'ballast')
  return {
    folder,
    enter: ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`],
    fill() {
      const { bavail, bsize } = statfsSync(inside)
      for (let blocks = bavail; blocks > 0; blocks = Math.floor(blocks / 2)) {
        try {
          writeFileSync(ballast, Buffer.alloc(blocks * bsize), { flag: 'a' })
        } catch (error) {
          // Somebody else has taken some meanwhile.
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
        }
      }
    },
    free() {
      rmSync(ballast, { force: true })
    },
    async unmount() {
      const ended = once(holder, 'close')
      holder.stdin.end()
      await ended
    },
  }
}

/** Why it could not be mounted; undefined once it is. */
async function outcome(
  holder: ChildProcessByStdio<Writable, Readable, Readable>,
): Promise<string | undefined> {
  const said = text(holder.stderr)
  const first = await Promise.race([
    once(holder.stdout, 'data'),
    once(holder, 'close'),
    once(holder, 'error'),
  ])
  return String(first[0]).startsWith('mounted') ? undefined : `${String(first[0])} ${await said}`
}
