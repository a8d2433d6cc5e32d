import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { pluginEnvironment } from './plugin-environment.ts'

const POLL_MS = 20
const WAIT_LIMIT_MS = 120_000

/** What the stream runs as. */
export interface FollowOptions {
  /** Path; the administrator's by default. */
  readonly kubeconfig?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A `kubectl images --follow` of its own process, started through the real kubectl, with what it has said so far. */
export class FollowProcess {
  /** Lines of stdout. */
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #stderr = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'close')
    if (child.stdout) createInterface(child.stdout).on('line', (line) => this.lines.push(line))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
  }

  /** Starts it and waits until it has told the initial set. */
  static async start(
    cluster: ControlPlane,
    args: readonly string[],
    options: FollowOptions = {},
  ): Promise<FollowProcess> {
    const child = spawn(cluster.kubectlPath, ['images', '--follow', ...args], {
      env: {
        ...process.env,
        KUBECONFIG: options.kubeconfig ?? cluster.adminKubeconfig,
        ...pluginEnvironment(cluster.folder.file('plugin-cache')),
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const following = new FollowProcess(child)
    await following.waitFor(() => following.stderr.includes('; following\n'), 'the end of the initial set')
    // Two pipes are read in no certain order: what was printed before that line may still be in the other.
    const initial = args.includes('--no-initial') ? 0 : following.#initialImages
    await following.waitFor(
      () => following.lines.length >= initial,
      `the ${initial} images of the initial set`,
    )
    return following
  }

  get stderr(): string {
    return this.#stderr
  }

  /** How many images it says were in use when it began; none where it began with the past, which it counts otherwise. */
  get #initialImages(): number {
    return Number(/^(\d+) images? in use.*; following$/m.exec(this.#stderr)?.[1] ?? 0)
  }

  /** What `-o json` has printed. */
  get events(): ImageEvent[] {
    return this.lines.map((line) => JSON.parse(line) as ImageEvent)
  }

  /** `+ nginx:1.25`, in the order in which they came, from `-o json`. */
  get changes(): string[] {
    return this.events.map(({ op, image }) => `${op} ${image}`)
  }

  /** Resident memory in bytes. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  /** Waits until something is true of what was said; throws with all of it after two minutes, or at its end. */
  async waitFor(condition: () => boolean, what: string, limitMs = WAIT_LIMIT_MS): Promise<void> {
    for (const until = Date.now() + limitMs; !condition();) {
      const ended = this.#child.exitCode ?? this.#child.signalCode
      if (ended !== null || Date.now() > until) {
        const why = ended === null ? `after ${limitMs} ms` : `when it ended (${ended})`
        await this.kill()
        throw new Error(
          `no ${what} ${why}; stdout:\n${this.lines.slice(-40).join('\n')}\nstderr:\n${this.stderr}`,
        )
      }
      await delay(POLL_MS)
    }
  }

  /** SIGSTOP: it sees nothing of what happens, as on a laptop that sleeps. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  /** Ends `pause`. */
  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Ends it as Ctrl-C does; gives the exit code, -1 when the signal itself ended it. */
  async interrupt(): Promise<number> {
    this.#child.kill('SIGCONT')
    this.#child.kill('SIGINT')
    return this.ended()
  }

  /** Closes the reading end of its stdout, as `head` does when it has enough. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
  }

  /** Waits for its end; gives the exit code, -1 when a signal ended it. */
  async ended(): Promise<number> {
    await this.#ended
    return this.#child.exitCode ?? -1
  }

  /** SIGKILL; does nothing when it has ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
