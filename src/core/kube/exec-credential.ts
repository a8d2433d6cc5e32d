import { DeckError } from '../lib/errors.ts'
import type { ConnectFiles } from './connect-files.ts'
import type { ClusterConnection, ConnectionEnvironment, ExecConfig } from './connection.ts'
import type { Credential, CredentialSource } from './connection-credential.ts'
import { decodeExecCredential } from './exec-credential-answer.ts'
import type { ExecAnswer } from './exec-credential-answer.ts'
import { runExecCommand } from './exec-credential-run.ts'

/** One run of the command that several requests may wait for. */
interface SharedRun {
  readonly answer: Promise<ExecAnswer>
  readonly controller: AbortController
  waiters: number
}

/**
 * Credentials that a command prints (KEP-541): run on first need, again once they have expired or the server has
 * refused them, and never twice at a time.
 */
export function createExecCredential(
  exec: ExecConfig,
  connection: ClusterConnection,
  environment: ConnectionEnvironment,
  files: ConnectFiles,
): CredentialSource {
  let last: ExecAnswer | undefined
  let running: SharedRun | undefined

  async function ask(signal: AbortSignal): Promise<ExecAnswer> {
    const interactive = asksPerson(exec, environment)
    const info = execInfo(exec, connection, files, interactive)
    last = decodeExecCredential(await runExecCommand(exec, info, interactive, environment, signal), exec)
    return last
  }

  function start(): SharedRun {
    const controller = new AbortController()
    const shared: SharedRun = { answer: ask(controller.signal), controller, waiters: 0 }
    const ended = (): void => forget(shared)
    shared.answer.then(ended, ended)
    running = shared
    return shared
  }

  function forget(shared: SharedRun): void {
    if (running === shared) running = undefined
  }

  async function run(signal: AbortSignal | undefined): Promise<ExecAnswer> {
    signal?.throwIfAborted()
    const shared = running ?? start()
    shared.waiters += 1
    const left = Promise.withResolvers<never>()
    const leave = (): void => left.reject(signal?.reason)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([shared.answer, left.promise])
    } finally {
      signal?.removeEventListener('abort', leave)
      shared.waiters -= 1
      // Nobody waits for the command any more; after its end this does nothing.
      if (shared.waiters === 0) {
        // Whoever comes now must not join a run that is being ended.
        forget(shared)
        shared.controller.abort()
        shared.answer.catch(() => undefined)
      }
    }
  }

  return {
    async current(signal): Promise<Credential> {
      if (last && (last.expiresAt === undefined || environment.clock.now() <= last.expiresAt)) {
        return last.credential
      }
      return (await run(signal)).credential
    },
    async renew(used, signal) {
      // Another request may have renewed them already.
      if (!last || last.credential === used) await run(signal)
      return true
    },
  }
}

function asksPerson(exec: ExecConfig, environment: ConnectionEnvironment): boolean {
  switch (exec.interactiveMode) {
    case 'Never':
      return false
    case 'IfAvailable':
      return environment.stdinIsTerminal()
    case 'Always':
      if (environment.stdinIsTerminal()) return true
      throw new DeckError(
        'CREDENTIAL_PLUGIN',
        `the credential plugin ${JSON.stringify(exec.command)} must ask a person, and standard input is not a terminal`,
        { hint: 'Run the command in a terminal, without a pipe into it.' },
      )
  }
}

// Field names and order as client-go writes them, so that plugins see no difference.
function execInfo(
  exec: ExecConfig,
  { server, trust, proxyUrl, disableCompression }: ClusterConnection,
  files: ConnectFiles,
  interactive: boolean,
): string {
  const cluster = exec.provideClusterInfo
    ? {
        server,
        'tls-server-name': trust.serverName,
        'insecure-skip-tls-verify': trust.insecure || undefined,
        'certificate-authority-data':
          trust.authority && Buffer.from(files.text(trust.authority)).toString('base64'),
        'proxy-url': proxyUrl,
        'disable-compression': disableCompression || undefined,
        config: exec.clusterConfig ?? null,
      }
    : undefined
  return JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion,
    spec: { cluster, interactive },
  })
}
