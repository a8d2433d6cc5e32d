import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, sep } from 'node:path'
import { DeckError } from '../lib/errors.ts'
import type { ConnectionEnvironment, ExecConfig } from './connection.ts'

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

// Our own PATH, not one that the plugin's env sets, and never a folder relative to where we happen to be (as Go).
function findCommand(command: string, environment: ConnectionEnvironment): string | undefined {
  if (command.includes(sep)) return isProgram(command) ? command : undefined
  // Windows also tries extensions: the system's own search does it.
  if (process.platform === 'win32') return command
  return (environment.variables['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, command))
    .find((path) => isProgram(path))
}

function missing(exec: ExecConfig): DeckError {
  // The hint comes from a file that others may have written: nothing in it may steer the terminal.
  const installHint = exec.installHint
    .trim()
    .replaceAll(
      /[^\P{C}\t\n\r]/gu,
      (letter) => `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
    )
  return new DeckError(
    'CREDENTIAL_PLUGIN',
    `the credential plugin ${JSON.stringify(exec.command)} is not installed, or not in PATH`,
    { hint: installHint || `Install it, or correct the user's exec.command in the kubeconfig.` },
  )
}

/**
 * Runs a credential plugin and gives what it printed. Its standard error is ours, and its standard input too where
 * `interactive`, so that people see and answer its prompts. Aborting ends it.
 */
export async function runExecCommand(
  exec: ExecConfig,
  info: string,
  interactive: boolean,
  environment: ConnectionEnvironment,
  signal: AbortSignal,
): Promise<string> {
  const path = findCommand(exec.command, environment)
  if (path === undefined) throw missing(exec)
  // Loaded on use: most people have no plugin.
  const { spawn } = await import('node:child_process')
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(path, exec.args, {
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    env: {
      ...environment.variables,
      ...Object.fromEntries(exec.env.map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: info,
    },
    windowsHide: true,
    signal,
  })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (signal.aborted) reject(signal.reason)
    else if (error.code === 'ENOENT' && process.platform === 'win32') reject(missing(exec))
    else {
      reject(
        new DeckError(
          'CREDENTIAL_PLUGIN',
          `cannot run the credential plugin ${JSON.stringify(exec.command)}: ${error.code ?? error.message}`,
          // Without the cause: Node adds the arguments to it.
          { hint: 'Run it by hand: is it made for this machine, and is its interpreter there?' },
        ),
      )
    }
  })
  child.on('close', (code, ended) => {
    if (code === 0) return resolve(Buffer.concat(output).toString('utf8'))
    const how = ended ? `was ended by ${ended}` : `failed with exit code ${code}`
    reject(
      new DeckError('CREDENTIAL_PLUGIN', `the credential plugin ${JSON.stringify(exec.command)} ${how}`, {
        hint: 'What it says itself stands above; mostly it wants you to log in again.',
      }),
    )
  })
  return promise
}
