import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { chmod, chown, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../kit/manual-clock.ts'
import { skip } from '../../kit/skip.ts'
import { createConnectFiles } from '../../../src/core/kube/connect-files.ts'
import { createCredentials } from '../../../src/core/kube/connect-credentials.ts'
import type { CredentialSource } from '../../../src/core/kube/connection-credential.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

interface TokenRequest {
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

describe('a legacy auth-provider', () => {
  const clock = new ManualClock()
  let folder: string
  let kubeconfig: string
  let provider: Server | undefined
  let asked: TokenRequest[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-auth-provider-'))
    kubeconfig = join(folder, 'config')
    asked = []
  })
  afterEach(async () => {
    await new Promise((resolve) => (provider ? provider.close(resolve) : resolve(undefined)))
    provider = undefined
    await rm(folder, { recursive: true, force: true })
  })

  /** A JWT that ends so many milliseconds from now; nobody here checks its signature. */
  function idToken(lastsMs: number, subject = 'ann'): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'none' })}.${part({ sub: subject, exp: Math.floor((clock.now() + lastsMs) / 1000) })}.x`
  }

  /** An identity provider that answers each request for a token with what `answer` makes of it. */
  async function startProvider(
    answer: (request: TokenRequest) => { status?: number; body: object },
  ): Promise<string> {
    const server = createServer((request, response) => {
      if (request.url === '/realm/.well-known/openid-configuration') {
        response.end(JSON.stringify({ token_endpoint: `http://${request.headers.host}/realm/token` }))
        return
      }
      let text = ''
      request.on('data', (chunk) => (text += String(chunk)))
      request.on('end', () => {
        const sent = {
          authorization: request.headers.authorization,
          form: Object.fromEntries(new URLSearchParams(text)),
        }
        asked.push(sent)
        const { status = 200, body } = answer(sent)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    provider = server
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/realm`
  }

  async function credentials(name: string, config: Record<string, string>): Promise<CredentialSource> {
    const lines = Object.entries(config).map(([key, value]) => `          ${key}: ${JSON.stringify(value)}`)
    await writeFile(
      kubeconfig,
      `# mine
current-context: c
clusters: [{name: c, cluster: {server: "https://kube.test"}}]
contexts: [{name: c, context: {cluster: c, user: me}}]
users:
- name: other
  user: {token: "keep"} # this too
- name: me
  user:
    auth-provider:
      name: ${name}
      config:
${lines.join('\n')}
`,
      { mode: 0o640 },
    )
    await chmod(kubeconfig, 0o640)
    const environment = { ...processEnvironment(), clock, variables: { PATH: process.env['PATH'] } }
    const connection = await loadConnection({ kubeconfig }, environment)
    return createCredentials(connection, environment, createConnectFiles(environment))
  }

  async function fails(work: Promise<unknown>, message: RegExp): Promise<void> {
    await rejects(work, (error: unknown) => {
      ok(error instanceof DeckError, String(error))
      equal(error.code, 'CREDENTIAL_PLUGIN')
      match(error.message, message)
      ok(!`${error.message}${error.hint}${String(error.cause)}`.includes('hunter2'))
      return true
    })
  }

  it('of kind oidc sends its id-token while that lasts, and asks nobody', async () => {
    const token = idToken(60_000)
    const source = await credentials('oidc', {
      'idp-issuer-url': 'http://nowhere.invalid',
      'id-token': token,
    })
    equal((await source.current(undefined)).authorization, `Bearer ${token}`)
  })

  it('of kind oidc gets a new token ten seconds before the end, and writes it back as kubectl does', async () => {
    const renewed = idToken(3_600_000, 'renewed')
    const issuer = await startProvider(() => ({ body: { id_token: renewed, refresh_token: 'second' } }))
    const source = await credentials('oidc', {
      'idp-issuer-url': issuer,
      'client-id': 'kubernetes',
      'id-token': idToken(9_000),
      'refresh-token': 'first',
    })
    const all = await Promise.all([1, 2, 3].map(() => source.current(undefined)))
    deepEqual(
      all.map(({ authorization }) => authorization),
      all.map(() => `Bearer ${renewed}`),
    )
    deepEqual(asked, [
      {
        authorization: undefined,
        form: { grant_type: 'refresh_token', refresh_token: 'first', client_id: 'kubernetes' },
      },
    ])
    const text = await readFile(kubeconfig, 'utf8')
    ok(text.includes(renewed))
    match(text, /refresh-token: "?second"?/)
    match(text, /^# mine\n/)
    match(text, /"?keep"? ?\} # this too/)
    equal((await stat(kubeconfig)).mode & 0o777, 0o640)
    await rejects(stat(`${kubeconfig}.lock`), /ENOENT/)
  })

  it('of kind oidc writes through a link, and not while kubectl has the lock', async () => {
    const issuer = await startProvider(() => ({ body: { id_token: idToken(3_600_000, 'renewed') } }))
    const config = {
      'idp-issuer-url': issuer,
      'client-id': 'k',
      'id-token': idToken(0),
      'refresh-token': 'r',
    }
    await credentials('oidc', config)
    const kept = join(folder, 'kept')
    await writeFile(kept, await readFile(kubeconfig))
    await rm(kubeconfig)
    await symlink(kept, kubeconfig)
    const environment = { ...processEnvironment(), clock, variables: {} }
    const again = async (): Promise<CredentialSource> =>
      createCredentials(
        await loadConnection({ kubeconfig }, environment),
        environment,
        createConnectFiles(environment),
      )

    await writeFile(`${kubeconfig}.lock`, '')
    const before = await readFile(kept, 'utf8')
    await (await again()).current(undefined)
    equal(await readFile(kept, 'utf8'), before)
    await rm(`${kubeconfig}.lock`)
    await (await again()).current(undefined)
    ok((await lstat(kubeconfig)).isSymbolicLink())
    ok((await readFile(kept, 'utf8')).includes(idToken(3_600_000, 'renewed')))
  })

  it('of kind oidc leaves a kubeconfig to its owner when root writes it', async function () {
    if (process.getuid?.() !== 0) skip(this, 'needs root, who may give files away')
    const issuer = await startProvider(() => ({ body: { id_token: idToken(3_600_000, 'renewed') } }))
    const source = await credentials('oidc', {
      'idp-issuer-url': issuer,
      'client-id': 'k',
      'id-token': idToken(0),
      'refresh-token': 'r',
    })
    await chown(kubeconfig, 4321, 1234)
    await source.current(undefined)
    ok((await readFile(kubeconfig, 'utf8')).includes(idToken(3_600_000, 'renewed')))
    const { uid, gid, mode } = await stat(kubeconfig)
    deepEqual([uid, gid, mode & 0o777], [4321, 1234, 0o640])
  })

  it('of kind oidc gives its secret in the header, or in the form where the provider wants that', async () => {
    const renewed = idToken(3_600_000)
    const issuer = await startProvider(({ authorization }) =>
      authorization ? { status: 401, body: { error: 'invalid_client' } } : { body: { id_token: renewed } },
    )
    const source = await credentials('oidc', {
      'idp-issuer-url': `${issuer}/`,
      'client-id': 'k:1',
      'client-secret': 's/2',
      'refresh-token': 'r',
    })
    equal((await source.current(undefined)).authorization, `Bearer ${renewed}`)
    equal(asked[0]?.authorization, `Basic ${Buffer.from('k%3A1:s%2F2').toString('base64')}`)
    deepEqual(asked[1]?.form, {
      grant_type: 'refresh_token',
      refresh_token: 'r',
      client_id: 'k:1',
      client_secret: 's/2',
    })
  })

  it('of kind oidc gets a new token when the server refuses the old', async () => {
    const renewed = idToken(3_600_000, 'renewed')
    const issuer = await startProvider(() => ({ body: { id_token: renewed } }))
    const source = await credentials('oidc', {
      'idp-issuer-url': issuer,
      'client-id': 'k',
      'id-token': idToken(3_600_000),
      'refresh-token': 'r',
    })
    const refused = await source.current(undefined)
    equal(await source.renew(refused, undefined), true)
    equal((await source.current(undefined)).authorization, `Bearer ${renewed}`)
  })

  it('of kind oidc says why it cannot go on', async () => {
    const ended = { 'id-token': idToken(0) }
    await fails(
      (await credentials('oidc', ended)).current(undefined),
      /idp-issuer-url or client-id is missing/,
    )
    const known = { ...ended, 'idp-issuer-url': 'http://127.0.0.1:1', 'client-id': 'k' }
    await fails((await credentials('oidc', known)).current(undefined), /there is no refresh-token/)
    await fails(
      (await credentials('oidc', { ...known, 'refresh-token': 'hunter2' })).current(undefined),
      /http:\/\/127\.0\.0\.1:1 does not answer \(KUBE_UNREACHABLE\)/,
    )
    const issuer = await startProvider(({ form }) =>
      form['refresh_token'] === 'hunter2' ? { status: 400, body: { error: 'invalid_grant' } } : { body: {} },
    )
    const refusing = { ...known, 'idp-issuer-url': issuer }
    await fails(
      (await credentials('oidc', { ...refusing, 'refresh-token': 'hunter2' })).current(undefined),
      /refused \(invalid_grant\)/,
    )
    await fails(
      (await credentials('oidc', { ...refusing, 'refresh-token': 'r' })).current(undefined),
      /gave no id_token/,
    )
  })

  for (const name of ['gcp', 'azure']) {
    it(`of kind ${name} sends its token, and runs its command once that has ended`, async () => {
      const source = await credentials(name, {
        'access-token': 'written',
        expiry: new Date(Date.now() + 3_600_000).toISOString(),
      })
      equal((await source.current(undefined)).authorization, 'Bearer written')

      const command = join(folder, 'login')
      await writeFile(
        command,
        `#!/bin/sh\necho '{"credential":{"access_token":"fresh","token_expiry":"2099-01-01T00:00:00Z"}}'\n`,
        { mode: 0o755 },
      )
      const settings = {
        'cmd-path': command,
        'cmd-args': 'config',
        'token-key': '{.credential.access_token}',
        'expiry-key': '{.credential.token_expiry}',
      }
      const ended = await credentials(name, {
        ...settings,
        'access-token': 'old',
        expiry: '2020-01-01T00:00:00Z',
      })
      equal((await ended.current(undefined)).authorization, 'Bearer fresh')

      await writeFile(command, '#!/bin/sh\necho hunter2; exit 1\n')
      await fails((await credentials(name, settings)).current(undefined), /login failed/)
      await fails((await credentials(name, {})).current(undefined), /the token has ended/)
    })
  }

  it('of another kind is named', async () => {
    await fails(
      (await credentials('openstack', {})).current(undefined),
      /"openstack" of the kubeconfig is not known/,
    )
  })
})
