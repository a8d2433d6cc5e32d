import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { acquireHostLock } from './kubernetes/host-lock.ts'

/** Takes lines for people about a long step. */
export type Progress = (line: string) => void

/** What every build of a Go program here is made with: static, and of this module alone. */
export const GO_ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off' } as const

/** Programs that are built from source once and kept for later runs. */
export interface GoBuild {
  /** What is built, for messages. */
  readonly name: string
  readonly version: string
  /** The oldest Go that builds it, `1.25`. */
  readonly go: string
  /** The folder that is there once everything is built. */
  readonly target: string
  /** Follows "once, " in what people read while they wait: how long it takes, and what room. */
  readonly cost: string
  /** Builds into a folder that becomes the target. */
  readonly build: (folder: string) => Promise<void>
}

/** How people are kept informed, and how they end it. */
export interface BuildOptions {
  readonly signal?: AbortSignal | undefined
  /** stderr by default. */
  readonly onProgress?: Progress
}

/** The folder in which a named thing that takes long to make is kept between runs. */
export function keptFolder(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'deckwatch', name)
}

/** Builds what is not there yet; only one process of a host does, the others wait for it. */
export async function buildOnce(
  { name, version, go, target, cost, build }: GoBuild,
  { signal, onProgress = (line) => process.stderr.write(`${line}\n`) }: BuildOptions = {},
): Promise<void> {
  if (existsSync(target)) return
  const found = await checkGo(name, go, signal)
  const release = await acquireHostLock(`${target}.lock`, {
    signal,
    onWait: (holder) => onProgress(`waiting for ${holder}, which builds ${name}`),
  })
  try {
    if (existsSync(target)) return
    const partial = `${target}.partial`
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(partial)
    onProgress(`building ${name} ${version} from source with ${found} into ${target}: once, ${cost}`)
    await build(partial)
    renameSync(partial, target)
  } finally {
    release()
  }
}

/** The version of Go on PATH; throws one line that names what is missing where it is older than `oldest`, `1.25`. */
export async function checkGo(name: string, oldest: string, signal?: AbortSignal): Promise<string> {
  const needed = `building ${name} for the tests needs Go ${oldest} or newer (https://go.dev/dl)`
  let answer: string
  try {
    answer = await runGo(['version'], { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const what = missing ? 'Go is not on PATH' : `Go does not answer: ${(cause as Error).message.trim()}`
    throw new Error(`${needed}, and ${what}`, { cause })
  }
  const [, version, release] = /\b(go(1\.\d+)\S*)/.exec(answer) ?? []
  const minor = (of = ''): number => Number(of.split('.')[1])
  if (version && minor(release) >= minor(oldest)) return version
  throw new Error(`${needed}, and ${answer.trim()} is on PATH`)
}

/** Where and with what `go` runs. */
export interface GoRun {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Runs `go`, gives what it printed, and throws the end of that where it fails. */
export function runGo(args: readonly string[], { cwd, environment, signal }: GoRun): Promise<string> {
  const child = spawn('go', args, {
    env: { ...process.env, ...GO_ENVIRONMENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal ? { signal } : {}),
  })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const text = Buffer.concat(output).toString()
      if (code === 0) resolve(text)
      else reject(new Error(`go ${args[0]} failed:\n${text.split('\n').slice(-30).join('\n')}`))
    })
  })
}
