import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ManualClock } from '../../kit/manual-clock.ts'
import { createConnectFiles } from '../../../src/core/kube/connect-files.ts'
import type { CredentialSource } from '../../../src/core/kube/connection-credential.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { createExecCredential } from '../../../src/core/kube/exec-credential.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

const V1 = 'client.authentication.k8s.io/v1'

interface PluginSettings {
  readonly apiVersion?: string
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: readonly { name: string; value: string }[]
  readonly interactiveMode?: string
  readonly provideClusterInfo?: boolean
  readonly installHint?: string
}

describe('a credential plugin', function () {
  let folder: string
  const clock = new ManualClock()

  before(function () {
    // The plugins are shell scripts.
    if (process.platform === 'win32') this.skip()
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-exec-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function script(name: string, body: string): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, `#!/bin/sh\n${body}\n`)
    await chmod(path, 0o755)
    return path
  }

  /** A plugin that notes each run, its arguments and environment, then prints the status. */
  function plugin(status: object, apiVersion = V1): Promise<string> {
    const answer = JSON.stringify({ apiVersion, kind: 'ExecCredential', status })
    return script(
      'login',
      `echo run >> '${folder}/runs'
printf '%s' "$*" > '${folder}/args'
printf '%s' "$KUBERNETES_EXEC_INFO" > '${folder}/info'
printf '%s' "$EXTRA" > '${folder}/extra'
cat > '${folder}/stdin'
cat <<'END'
${answer}
END`,
    )
  }

  async function source(
    settings: PluginSettings,
    terminal = (): boolean => false,
  ): Promise<CredentialSource> {
    const kubeconfig = join(folder, 'config')
    await writeFile(
      kubeconfig,
      JSON.stringify({
        'current-context': 'c',
        clusters: [
          {
            name: 'c',
            cluster: {
              server: 'https://kube.test:6443',
              'certificate-authority-data': Buffer.from('ca pem').toString('base64'),
              'tls-server-name': 'kube',
              extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
            },
          },
        ],
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'me' } }],
        users: [
          {
            name: 'me',
            user: {
              exec: { apiVersion: V1, command: './login', interactiveMode: 'IfAvailable', ...settings },
            },
          },
        ],
      }),
    )
    const environment = { ...processEnvironment(), clock, stdinIsTerminal: terminal }
    const connection = await loadConnection({ kubeconfig }, environment)
    ok(connection.auth.kind === 'exec')
    return createExecCredential(
      connection.auth.exec,
      connection,
      environment,
      createConnectFiles(environment),
    )
  }

  const noted = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
  const runs = async (): Promise<number> => (await noted('runs')).trim().split('\n').length

  async function fails(work: Promise<unknown>, message: RegExp, hint?: RegExp): Promise<void> {
    await rejects(work, (error: unknown) => {
      ok(error instanceof DeckError, String(error))
      equal(error.code, 'CREDENTIAL_PLUGIN')
      match(error.message, message)
      if (hint) match(error.hint ?? '', hint)
      return true
    })
  }

  it('in a path with a separator is looked for beside the kubeconfig, and its token is sent', async () => {
    await plugin({ token: 'abc' })
    const credentials = await source({ args: ['get', 'token'], env: [{ name: 'EXTRA', value: 'set' }] })
    deepEqual(await credentials.current(undefined), {
      authorization: 'Bearer abc',
      certificate: undefined,
      key: undefined,
    })
    deepEqual([await noted('args'), await noted('extra')], ['get token', 'set'])
  })

  it('is told by KUBERNETES_EXEC_INFO that nobody can be asked', async () => {
    await plugin({ token: 'abc' })
    await (await source({})).current(undefined)
    deepEqual(JSON.parse(await noted('info')), {
      kind: 'ExecCredential',
      apiVersion: V1,
      spec: { interactive: false },
    })
    equal(await noted('stdin'), '')
  })

  it('is told about the cluster where it wants that', async () => {
    await plugin({ token: 'abc' })
    await (await source({ provideClusterInfo: true })).current(undefined)
    deepEqual((JSON.parse(await noted('info')) as { spec: object }).spec, {
      cluster: {
        server: 'https://kube.test:6443',
        'tls-server-name': 'kube',
        'certificate-authority-data': Buffer.from('ca pem').toString('base64'),
        config: { audience: 'a' },
      },
      interactive: false,
    })
  })

  it('may be of v1beta1, where the mode may be left out', async () => {
    const apiVersion = 'client.authentication.k8s.io/v1beta1'
    await plugin({ token: 'abc' }, apiVersion)
    const { interactiveMode: _, ...settings } = { apiVersion, interactiveMode: undefined }
    equal((await (await source(settings)).current(undefined)).authorization, 'Bearer abc')
  })

  it('may give a client certificate', async () => {
    await plugin({ clientCertificateData: 'cert', clientKeyData: 'key' })
    deepEqual(await (await source({})).current(undefined), {
      authorization: undefined,
      certificate: 'cert',
      key: 'key',
    })
  })

  it('is run once for many requests at a time, and once for the life of a token without an end', async () => {
    await plugin({ token: 'abc' })
    const credentials = await source({})
    await Promise.all([1, 2, 3].map(() => credentials.current(undefined)))
    await clock.advance(86_400_000)
    await credentials.current(undefined)
    equal(await runs(), 1)
  })

  it('is run again when its credentials have ended', async () => {
    const end = new Date(clock.now() + 60_000).toISOString()
    await plugin({ token: 'abc', expirationTimestamp: end })
    const credentials = await source({})
    await credentials.current(undefined)
    await clock.advance(60_000)
    await credentials.current(undefined)
    equal(await runs(), 1)
    await clock.advance(1)
    await credentials.current(undefined)
    equal(await runs(), 2)
  })

  it('is run again once when the server refuses its credentials, not once for each request', async () => {
    await plugin({ token: 'abc' })
    const credentials = await source({})
    const refused = await credentials.current(undefined)
    deepEqual(await Promise.all([1, 2].map(() => credentials.renew(refused, undefined))), [true, true])
    equal(await credentials.renew(refused, undefined), true)
    equal(await runs(), 2)
  })

  it('that is not installed is named with how to get it, and nothing in that steers the terminal', async () => {
    await fails(
      (
        await source({
          command: 'no-such-plugin-anywhere',
          installHint: 'brew install \u001b[31mit\nthen log in',
        })
      ).current(undefined),
      /"no-such-plugin-anywhere" is not installed/,
      /^brew install U\+001B\[31mit\nthen log in$/,
    )
    await fails((await source({ command: './gone' })).current(undefined), /gone" is not installed/)
  })

  it('is looked for in PATH, not in the folder where we are', async () => {
    const before = process.cwd()
    process.chdir(folder)
    try {
      await script('deckwatch-test-login', 'exit 0')
      await fails((await source({ command: 'deckwatch-test-login' })).current(undefined), /is not installed/)
    } finally {
      process.chdir(before)
    }
  })

  it('that fails is named with its exit code', async () => {
    await script('login', 'exit 7')
    await fails((await source({})).current(undefined), /login" failed with exit code 7/, /log in again/)
  })

  it('that cannot be run is named', async () => {
    await writeFile(join(folder, 'login'), '#!/no/such/shell\n', { mode: 0o755 })
    await fails((await source({})).current(undefined), /cannot run the credential plugin .*ENOENT/)
  })

  for (const [output, message] of [
    ['', /printed nothing/],
    ['token: hunter2', /not JSON/],
    ['{"token":"hunter2"}', /printed no ExecCredential/],
    [
      '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"hunter2"}}',
      /is configured for .*v1 and printed ".*v1beta1"/,
    ],
    [`{"kind":"ExecCredential","apiVersion":"${V1}"}`, /printed no status/],
    [`{"kind":"ExecCredential","apiVersion":"${V1}","status":{}}`, /neither a token nor a certificate/],
    [
      `{"kind":"ExecCredential","apiVersion":"${V1}","status":{"clientKeyData":"hunter2"}}`,
      /certificate without its key/,
    ],
    [
      `{"kind":"ExecCredential","apiVersion":"${V1}","status":{"token":"hunter2\\nX: y"}}`,
      /no header may carry/,
    ],
    [
      `{"kind":"ExecCredential","apiVersion":"${V1}","status":{"token":"hunter2","expirationTimestamp":"soon"}}`,
      /not a time/,
    ],
  ] as const) {
    it(`that prints ${output || 'nothing'} is refused without showing it`, async () => {
      await script('login', `cat <<'END'\n${output}\nEND`)
      const work = (await source({})).current(undefined)
      await fails(work, message)
      await work.catch((error: Error) =>
        ok(!`${error.message}${error.stack}${String(error.cause)}`.includes('hunter2')),
      )
    })
  }

  it('that must ask a person is not run without a terminal', async () => {
    await plugin({ token: 'abc' })
    await fails((await source({ interactiveMode: 'Always' })).current(undefined), /must ask a person/)
    await rejects(runs())
  })

  it('is ended when nobody waits for it any more', async () => {
    await script('login', `echo $$ > '${folder}/pid'\nexec sleep 60`)
    const controller = new AbortController()
    const credentials = await source({})
    const work = credentials.current(controller.signal)
    const pid = await untilNoted(join(folder, 'pid'))
    const reason = new Error('enough')
    controller.abort(reason)
    await rejects(work, reason)
    await untilGone(Number(pid))
  })

  it('is run anew for who comes just after the last one has left', async () => {
    await plugin({ token: 'abc' })
    const credentials = await source({})
    const controller = new AbortController()
    const work = credentials.current(controller.signal)
    controller.abort(new Error('enough'))
    await rejects(work, /enough/)
    equal((await credentials.current(undefined)).authorization, 'Bearer abc')
    equal(await runs(), 1)
  })

  it('is run anew after it could not even be started', async () => {
    await plugin({ token: 'abc' })
    let terminal = false
    const credentials = await source({ interactiveMode: 'Always' }, () => terminal)
    await fails(credentials.current(undefined), /must ask a person/)
    terminal = true
    equal((await credentials.current(undefined)).authorization, 'Bearer abc')
  })

  it('goes on for the others when one stops waiting', async () => {
    await plugin({ token: 'abc' })
    const credentials = await source({})
    const controller = new AbortController()
    const [first, second] = [credentials.current(controller.signal), credentials.current(undefined)]
    controller.abort(new Error('enough'))
    await rejects(first, /enough/)
    equal((await second).authorization, 'Bearer abc')
  })

  it('shows its prompts on our standard error and reads the answer from our terminal', async () => {
    await script(
      'login',
      `printf 'Password: ' >&2; read answer
printf '{"apiVersion":"${V1}","kind":"ExecCredential","status":{"token":"%s"}}' "$answer"`,
    )
    await source({})
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('exec-credential-ask.ts', import.meta.url)), join(folder, 'config')],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    )
    const seen = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => (seen.stdout += String(chunk)))
    child.stderr.on('data', (chunk) => (seen.stderr += String(chunk)))
    child.stdin.end('typed-answer\n')
    await new Promise((resolve) => child.once('close', resolve))
    deepEqual(seen, { stdout: 'Bearer typed-answer\n', stderr: 'Password: ' })
  })
})

async function untilNoted(path: string): Promise<string> {
  for (let tries = 0; tries < 500; tries += 1) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.endsWith('\n')) return text.trim()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${path} was not written`)
}

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`process ${pid} still runs`)
}
