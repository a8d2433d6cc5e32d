import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** How one kubectl is run. */
export interface KubectlOptions {
  /** Path; the administrator's by default. */
  readonly kubeconfig?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Its standard input; empty by default. */
  readonly input?: string
  readonly signal?: AbortSignal
}

/** What one kubectl answered. */
export interface KubectlResult {
  readonly stdout: string
  readonly stderr: string
  /** -1 when a signal ended it. */
  readonly exitCode: number
}

/** A cluster as far as kubectl reaches: the kit's own, or a person's. */
export interface KubectlCluster {
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>
}

/** What kubectl prints; throws what it says where it fails. */
export async function kubectlOutput(
  cluster: KubectlCluster,
  args: readonly string[],
  options?: KubectlOptions,
): Promise<string> {
  const { stdout, stderr, exitCode } = await cluster.kubectl(args, options)
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
  return stdout
}

/** Runs a program to its end; a bad exit code is an answer and does not throw. */
export async function runKubectl(
  program: string,
  args: readonly string[],
  options: KubectlOptions & { readonly kubeconfig: string; readonly cacheFolder: string },
): Promise<KubectlResult> {
  const child = spawn(program, args, {
    env: {
      ...process.env,
      KUBECONFIG: options.kubeconfig,
      KUBECACHEDIR: options.cacheFolder,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })
  // A kubectl that needs no input may be gone before it is written.
  child.stdin.once('error', () => {})
  child.stdin.end(options.input ?? '')
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { stdout, stderr, exitCode }
}
