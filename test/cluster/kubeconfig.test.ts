import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '../../src/core/kube/connect.ts'
import { processEnvironment } from '../../src/core/kube/connection.ts'
import type {
  ClusterConnection,
  ConnectionEnvironment,
  ConnectionOverrides,
  PemSource,
} from '../../src/core/kube/connection.ts'
import { contextNames, loadConnection } from '../../src/core/kube/kubeconfig.ts'
import { errorFromResponse } from '../../src/core/kube/status-error.ts'
import type { RequestPurpose } from '../../src/core/kube/status-error.ts'
import { readAll } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import { CertificateAuthority } from '../kit/kubernetes/certificates.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { requireBun } from '../unit/kube/bun.ts'
import type { Echo } from '../unit/kube/contract-servers.ts'
import { startContractWorld } from '../unit/kube/contract-world.ts'
import type { StartedWorld } from '../unit/kube/contract-world.ts'
import { KUBECONFIG_CASES } from './kubeconfig-cases.ts'
import type { KubeconfigCase } from './kubeconfig-cases.ts'

const run = promisify(execFile)

interface KubectlAnswer {
  readonly stdout: string
  readonly stderr: string
  readonly failed: boolean
}

/** Our flags by the name that kubectl has for them. */
const FLAGS: Readonly<Partial<Record<keyof ConnectionOverrides, string>>> = {
  kubeconfig: 'kubeconfig',
  context: 'context',
  cluster: 'cluster',
  user: 'user',
  server: 'server',
  token: 'token',
  username: 'username',
  password: 'password',
  as: 'as',
  asGroups: 'as-group',
  asUid: 'as-uid',
  asUserExtra: 'as-user-extra',
  certificateAuthority: 'certificate-authority',
  clientCertificate: 'client-certificate',
  clientKey: 'client-key',
  insecureSkipTlsVerify: 'insecure-skip-tls-verify',
  tlsServerName: 'tls-server-name',
}

function flagArguments(overrides: ConnectionOverrides): string[] {
  return Object.entries(overrides).flatMap(([key, value]) => {
    const flag = FLAGS[key as keyof ConnectionOverrides]
    ok(flag, `kubectl has no flag for ${key}`)
    return [value].flat().map((one) => `--${flag}=${String(one)}`)
  })
}

describe('kubeconfig, side by side with kubectl', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let folder: string

  before(async function () {
    cluster = await requireCluster(this)
  })
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'deckwatch-kubeconfig-')))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** Runs kubectl in the folder with these variables and no others. */
  async function kubectl(args: readonly string[], variables: Record<string, string>): Promise<KubectlAnswer> {
    try {
      const env = { PATH: process.env['PATH'], KUBECACHEDIR: join(folder, 'cache'), ...variables }
      const work = run(cluster.kubectlPath, args, { cwd: folder, env, timeout: 90_000 })
      work.child.stdin?.end()
      return { ...(await work), failed: false }
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      return { stdout, stderr, failed: true }
    }
  }

  /** The same variables and folder for us. */
  function environment(variables: Record<string, string>): ConnectionEnvironment {
    return {
      ...processEnvironment(),
      variables: { PATH: process.env['PATH'], ...variables },
      home: variables['HOME'],
      workingDirectory: folder,
      stdinIsTerminal: () => false,
    }
  }

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text, { mode: path.includes('bin/') ? 0o755 : 0o600 })
    }
  }

  describe('what a kubeconfig means', () => {
    const PEM = { CA: 'authority pem\n', CERT: 'certificate pem\n', KEY: 'key pem\n' }

    function fill(body: string): string {
      return body.replaceAll(
        /\{(CA|CERT|KEY)(64)?\}/g,
        (_, name: keyof typeof PEM, encoded: string | undefined) =>
          encoded ? Buffer.from(PEM[name]).toString('base64') : PEM[name],
      )
    }

    async function pemText(source: PemSource | undefined): Promise<string | undefined> {
      if (source === undefined) return undefined
      return 'pem' in source ? source.pem : readFile(source.file, 'utf8')
    }

    interface View {
      readonly 'current-context': string
      readonly clusters: { name: string; cluster: Record<string, unknown> }[]
      readonly contexts: { name: string; context: Record<string, string> }[]
      readonly users: { name: string; user: Record<string, unknown> }[] | null
    }

    function decode(value: unknown): string | undefined {
      return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : undefined
    }

    /** kubectl's answer, in the fields that we compare; it shows relative paths, and uses them from `base`. */
    function theirs(view: View, base: string): object {
      const [context] = view.contexts
      const [server] = view.clusters
      const [user] = view.users ?? []
      const tokenFile = user?.user['tokenFile'] as string | undefined
      const exec = user?.user['exec'] as { command: string } | undefined
      const command = exec?.command.includes('/') ? resolve(base, exec.command) : exec?.command
      return {
        names: [context?.name, server?.name, user?.name],
        namespace: context?.context['namespace'] ?? 'default',
        server: server?.cluster['server'],
        authority: decode(server?.cluster['certificate-authority-data']),
        insecure: server?.cluster['insecure-skip-tls-verify'] ?? false,
        serverName: server?.cluster['tls-server-name'],
        proxyUrl: server?.cluster['proxy-url'],
        disableCompression: server?.cluster['disable-compression'] ?? false,
        certificate: decode(user?.user['client-certificate-data']),
        key: decode(user?.user['client-key-data']),
        token: user?.user['token'],
        tokenFile: tokenFile && resolve(base, tokenFile),
        password: [user?.user['username'], user?.user['password']],
        as: [user?.user['as'], user?.user['as-uid'], user?.user['as-groups'], user?.user['as-user-extra']],
        exec: exec && { ...exec, command },
        authProvider: user?.user['auth-provider'],
      }
    }

    async function ours(connection: ClusterConnection): Promise<object> {
      const { auth, trust, impersonate, clientCertificate } = connection
      const file = auth.kind === 'token-file' ? auth : undefined
      const { clusterConfig: _, ...exec } = auth.kind === 'exec' ? auth.exec : { clusterConfig: undefined }
      return {
        names: [connection.contextName, connection.clusterName, connection.userName],
        namespace: connection.namespace,
        server: connection.server,
        authority: await pemText(trust.authority),
        insecure: trust.insecure,
        serverName: trust.serverName,
        proxyUrl: connection.proxyUrl,
        disableCompression: connection.disableCompression,
        certificate: await pemText(clientCertificate?.certificate),
        key: await pemText(clientCertificate?.key),
        token: auth.kind === 'token' ? auth.token : file?.token || undefined,
        tokenFile: file?.file,
        password: auth.kind === 'basic' ? [auth.username, auth.password] : [undefined, undefined],
        as: impersonate
          ? [impersonate.user, impersonate.uid, impersonate.groups, impersonate.extra]
          : [undefined, undefined, undefined, undefined],
        exec: auth.kind === 'exec' ? exec : undefined,
        authProvider:
          auth.kind === 'auth-provider'
            ? { name: auth.provider.name, config: auth.provider.config }
            : undefined,
      }
    }

    function variablesOf({ list }: KubeconfigCase): Record<string, string> {
      if (!list) return { HOME: folder }
      return { HOME: folder, KUBECONFIG: list.map((path) => path && join(folder, path)).join(delimiter) }
    }

    for (const one of KUBECONFIG_CASES) {
      it(`${one.name}${one.refused ? ': refused' : ''}`, async () => {
        await write(Object.fromEntries(Object.entries(one.files).map(([path, body]) => [path, fill(body)])))
        const variables = variablesOf(one)
        const flags = one.flags ?? {}
        const [answer, loaded] = await Promise.all([
          kubectl(
            [...flagArguments(flags), 'config', 'view', '--minify', '--flatten', '--raw', '-o', 'json'],
            variables,
          ),
          loadConnection(flags, environment(variables)).catch((error: unknown) => error),
        ])
        equal(answer.failed, one.refused ?? false, answer.stderr)
        if (one.refused) {
          ok(loaded instanceof DeckError, 'we take what kubectl refuses')
          return
        }
        if (loaded instanceof Error) throw loaded
        const base = join(folder, dirname(one.list?.[0] ?? '.kube/config'))
        deepEqual(await ours(loaded as ClusterConnection), theirs(JSON.parse(answer.stdout) as View, base))
      })
    }

    it('the names of all contexts', async () => {
      await write({ a: 'contexts: [{name: z}, {name: b}]', b: 'contexts: [{name: a}, {name: b}]' })
      const variables = { KUBECONFIG: `${join(folder, 'a')}${delimiter}${join(folder, 'b')}` }
      const answer = await kubectl(['config', 'get-contexts', '-o', 'name'], variables)
      deepEqual(await contextNames({}, environment(variables)), answer.stdout.trim().split('\n'))
    })
  })

  describe('what a server sees', () => {
    let world: StartedWorld

    before(async function () {
      world = await startContractWorld(this)
    })
    after(() => world?.stop())

    /** Everything in a request that says who asks. */
    function identity(echo: Echo): object {
      const headers: Record<string, string[]> = {}
      echo.headers.forEach((value, at) => {
        const name = echo.headers[at - 1]?.toLowerCase() ?? ''
        if (at % 2 === 1 && /^(?:authorization|impersonate-.*)$/.test(name))
          (headers[name] ??= []).push(value)
      })
      return { headers, client: echo.client }
    }

    async function ask(overrides: ConnectionOverrides, variables: Record<string, string>): Promise<Echo> {
      const surroundings = environment(variables)
      const transport = connect(await loadConnection(overrides, surroundings), { environment: surroundings })
      try {
        const { body } = await transport.send({ path: '/echo' })
        return JSON.parse(Buffer.from(await readAll(body)).toString('utf8')) as Echo
      } finally {
        transport.close()
      }
    }

    interface Person {
      readonly user: string
      readonly cluster?: string
      readonly flags?: ConnectionOverrides
      readonly variables?: Record<string, string>
      /** Stands for the address of the server. */
      readonly server?: (address: string) => string
    }

    async function prepare({
      user,
      cluster: more = '',
      server = (address) => address,
    }: Person): Promise<void> {
      const { servers, certificates } = world.data
      const pem = async (file: string): Promise<string> =>
        (await readFile(join(certificates, file))).toString('base64')
      const credential = JSON.stringify({
        clientCertificateData: await readFile(join(certificates, 'bob.crt'), 'utf8'),
        clientKeyData: await readFile(join(certificates, 'bob.key'), 'utf8'),
      })
      const plugin = (status: string): string =>
        `#!/bin/sh
printf '%s' "$KUBERNETES_EXEC_INFO" > "$INFO"
cat <<'END'
{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}
END
`
      await write({
        config: `
current-context: c
clusters:
- name: c
  cluster: {server: "${server(servers.tls)}", certificate-authority: "${certificates}/ca.crt"${more && `, ${more}`}}
contexts: [{name: c, context: {cluster: c, user: u}}]
users:
- name: u
  user: ${user
    .replaceAll(
      '{ALICE}',
      `client-certificate: "${certificates}/alice.crt", client-key: "${certificates}/alice.key"`,
    )
    .replaceAll(
      '{BOB}',
      `client-certificate-data: ${await pem('bob.crt')}, client-key-data: ${await pem('bob.key')}`,
    )}
`,
        'token-file': 'from-file\n',
        'bin/token': plugin('{"token":"from-plugin"}'),
        'bin/certificate': plugin(credential),
      })
    }

    const exec = (command: string, more = ''): string =>
      `{exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/${command}, interactiveMode: IfAvailable${more}}}`

    const people: Readonly<Record<string, Person>> = {
      'a token': { user: '{token: t}' },
      'a token file': { user: '{tokenFile: token-file}' },
      'a token and a token file': { user: '{token: t, tokenFile: token-file}' },
      'a password': { user: '{username: u, password: "p:ä"}' },
      'a client certificate in files': { user: '{{ALICE}}' },
      'a client certificate as data': { user: '{{BOB}}' },
      'a token and a client certificate': { user: '{token: t, {ALICE}}' },
      'a plugin with a token': { user: exec('token') },
      'a plugin with a certificate': { user: exec('certificate') },
      'a plugin beside --token': { user: exec('token'), flags: { token: 'flag' } },
      'a plugin beside a client certificate': { user: exec('token').replace('{exec', '{{ALICE}, exec') },
      'other certificate by flags': {
        user: '{{BOB}}',
        flags: { clientCertificate: 'ALICE.crt', clientKey: 'ALICE.key' },
      },
      'impersonation in the file': {
        user: '{token: t, as: eve, as-uid: "7", as-groups: [g, h], as-user-extra: {Ex.org/K: [v, w]}}',
      },
      'impersonation by flags': {
        user: '{token: t, as-groups: [g]}',
        flags: { as: 'jürgen', asUid: '9', asGroups: ['x', 'y'], asUserExtra: ['a b=1', 'a b=2'] },
      },
      'nobody, to an http server': {
        user: '{token: t, as: eve}',
        server: () => world.data.servers.plain,
      },
      'a server without a scheme': {
        user: '{token: t}',
        server: () => world.data.servers.plain.replace('http://', ''),
      },
      'a server that is known by another name': { user: '{token: t}', cluster: 'tls-server-name: kube.test' },
      'any server': {
        user: '{token: t}',
        flags: { insecureSkipTlsVerify: true },
        server: () => world.data.servers.ended,
      },
      'a server in another place': {
        user: '{token: t}',
        cluster: 'tls-server-name: elsewhere.test',
        server: () => 'https://gone.invalid',
        flags: { server: 'TLS' },
      },
    }

    for (const [name, person] of Object.entries(people)) {
      it(name, async () => {
        await prepare(person)
        const { servers, certificates } = world.data
        const flags = Object.fromEntries(
          Object.entries(person.flags ?? {}).map(([key, value]) => [
            key,
            typeof value === 'string'
              ? value.replace(/^ALICE/, join(certificates, 'alice')).replace(/^TLS$/, servers.tls)
              : value,
          ]),
        ) as ConnectionOverrides
        const variables = { KUBECONFIG: join(folder, 'config'), INFO: join(folder, 'info') }
        const answer = await kubectl([...flagArguments(flags), 'get', '--raw', '/echo'], variables)
        ok(!answer.failed, answer.stderr)
        deepEqual(identity(await ask(flags, variables)), identity(JSON.parse(answer.stdout) as Echo))
      })
    }

    for (const [name, cluster_, more] of [
      ['no cluster', '', ''],
      ['the cluster', 'tls-server-name: kube.test', ', provideClusterInfo: true'],
      [
        'the cluster with settings for it',
        'disable-compression: true, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: a, list: [1, null]}}]',
        ', provideClusterInfo: true',
      ],
    ] as const) {
      it(`a plugin is told of ${name} in the same words`, async () => {
        await prepare({ user: exec('token', more), cluster: cluster_ })
        const variables = { KUBECONFIG: join(folder, 'config'), INFO: join(folder, 'info') }
        const answer = await kubectl(['get', '--raw', '/echo'], variables)
        ok(!answer.failed, answer.stderr)
        const told = await readFile(join(folder, 'info'), 'utf8')
        await rm(join(folder, 'info'))
        await ask({}, variables)
        deepEqual(JSON.parse(await readFile(join(folder, 'info'), 'utf8')), JSON.parse(told))
      })
    }

    for (const [name, variables] of Object.entries({
      HTTPS_PROXY: { HTTPS_PROXY: 'P' },
      https_proxy: { https_proxy: 'P' },
      'HTTP_PROXY, which is not for https': { HTTP_PROXY: 'P' },
      'a proxy without a scheme': { HTTPS_PROXY: 'BARE' },
      'a NO_PROXY that names the server': { HTTPS_PROXY: 'P', NO_PROXY: 'a.test,kube.test' },
      'a no_proxy for its domain': { HTTPS_PROXY: 'P', no_proxy: '.test' },
      'a NO_PROXY for subdomains': { HTTPS_PROXY: 'P', NO_PROXY: '.kube.test' },
      'a NO_PROXY for another port': { HTTPS_PROXY: 'P', NO_PROXY: 'kube.test:1' },
      'a NO_PROXY for all': { HTTPS_PROXY: 'P', NO_PROXY: '*' },
      'a SOCKS5 proxy': { HTTPS_PROXY: 'SOCKS' },
    } as Record<string, Record<string, string>>)) {
      it(`goes the same way with ${name}`, async () => {
        // Only the proxies know the name, so that whoever goes without one fails.
        await prepare({ user: '{token: t}', server: (address) => address.replace('127.0.0.1', 'kube.test') })
        const [http = '', , socks = ''] = world.data.proxies
        const words: Record<string, string> = { P: http, BARE: http.replace('http://', ''), SOCKS: socks }
        const all = {
          KUBECONFIG: join(folder, 'config'),
          ...Object.fromEntries(
            Object.entries(variables).map(([key, value]) => [key, words[value] ?? value]),
          ),
        }
        const answer = await kubectl(['get', '--raw', '/echo'], all)
        const went = await ask({}, all).then(
          () => true,
          (error: unknown) => {
            ok(error instanceof DeckError)
            equal(error.code, 'KUBE_UNREACHABLE')
            return false
          },
        )
        equal(went, !answer.failed, answer.stderr)
      })
    }
  })

  describe('a real API server', () => {
    const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

    interface UserInfo {
      readonly username: string
      readonly uid?: string
      readonly groups?: readonly string[]
      readonly extra?: Readonly<Record<string, readonly string[]>>
    }

    /** Who the API server takes us for. */
    async function whoAmI(overrides: ConnectionOverrides): Promise<UserInfo> {
      const connection = await loadConnection(overrides, environment({}))
      const transport = connect(connection, { environment: environment({}) })
      try {
        const response = await transport.send({
          method: 'POST',
          path: REVIEW,
          body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
        })
        if (response.status !== 201) {
          throw await errorFromResponse(response, {
            verb: 'create',
            resource: 'selfsubjectreviews',
            namespaced: false,
            identity: connection,
          })
        }
        const text = Buffer.from(await readAll(response.body)).toString('utf8')
        return (JSON.parse(text) as { status: { userInfo: UserInfo } }).status.userInfo
      } finally {
        transport.close()
      }
    }

    /** The error for a GET that must not succeed. */
    async function refusal(
      overrides: ConnectionOverrides,
      path: string,
      purpose: RequestPurpose,
    ): Promise<DeckError> {
      const connection = await loadConnection(overrides, environment({}))
      const transport = connect(connection, { environment: environment({}) })
      try {
        const response = await transport.send({ path })
        notEqual(response.status, 200)
        return await errorFromResponse(response, { ...purpose, identity: connection })
      } finally {
        transport.close()
      }
    }

    const listPods: RequestPurpose = { verb: 'list', resource: 'pods' }

    it('knows a client certificate and its groups', async () => {
      const { username, groups = [] } = await whoAmI({ kubeconfig: cluster.user('jane', ['dev', 'ops']) })
      equal(username, 'jane')
      deepEqual([...groups].toSorted(), ['dev', 'ops', 'system:authenticated'])
    })

    it('knows a token', async () => {
      const token = await cluster.token('default', 'reader')
      equal(
        (await whoAmI({ kubeconfig: cluster.tokenKubeconfig(token) })).username,
        'system:serviceaccount:default:reader',
      )
      const flags = { server: cluster.url, certificateAuthority: cluster.caFile }
      await writeFile(join(folder, 'token'), `${token}\n`)
      equal((await whoAmI({ ...flags, token })).username, 'system:serviceaccount:default:reader')
      equal((await whoAmI({ ...flags, tokenFile: 'token' })).username, 'system:serviceaccount:default:reader')
    })

    it('lets us act as another, with uid, groups and extra', async () => {
      const info = await whoAmI({
        kubeconfig: cluster.adminKubeconfig,
        as: 'jürgen',
        asUid: '7',
        asGroups: ['dev', 'ops'],
        asUserExtra: ['example.org/team=one', 'example.org/team=two'],
      })
      deepEqual(
        { ...info, groups: [...(info.groups ?? [])].toSorted() },
        {
          username: 'jürgen',
          uid: '7',
          groups: ['dev', 'ops', 'system:authenticated'],
          extra: { 'example.org/team': ['one', 'two'] },
        },
      )
    })

    it('knows what a plugin printed, and is asked again when that is no longer good', async () => {
      const token = await cluster.token('default', 'reader')
      // Its first token is refused, as one that was revoked before its time.
      await write({
        config: `
current-context: c
clusters: [{name: c, cluster: {server: "${cluster.url}", certificate-authority: "${cluster.caFile}"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login, interactiveMode: Never}}}]
`,
        'bin/login': `#!/bin/sh
cd '${folder}'
if [ -e again ]; then token='${token}'; else token=revoked; touch again; fi
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$token"
`,
      })
      equal((await whoAmI({ kubeconfig: 'config' })).username, 'system:serviceaccount:default:reader')
    })

    it('answers under Bun, by fetch', async function () {
      const bun = requireBun(this)
      const script = fileURLToPath(new URL('../unit/kube/connect-get.ts', import.meta.url))
      const overrides = { kubeconfig: cluster.user('jane', ['system:masters']) }
      const { stdout } = await run(bun, [script, '/version', JSON.stringify(overrides)], {
        env: { PATH: process.env['PATH'] },
        timeout: 90_000,
      })
      const { fetch, status, body } = JSON.parse(stdout) as { fetch: boolean; status: number; body: string }
      deepEqual([fetch, status], [true, 200])
      match((JSON.parse(body) as { gitVersion: string }).gitVersion, /^v1\./)
    })

    it('refuses a client certificate that has ended, and we say when it did', async () => {
      const error = await refusal(
        { kubeconfig: cluster.user('late', [], Date.now() - 1000) },
        '/api/v1/pods',
        listPods,
      )
      equal(error.code, 'KUBE_UNAUTHORIZED')
      match(error.message, /\(context "kit", user "late"\): the client certificate ended on \d{4}-/)
    })

    it('refuses a token that it does not know, which we never show', async () => {
      const flags = { server: cluster.url, certificateAuthority: cluster.caFile, token: 'hunter2' }
      const error = await refusal(flags, '/api/v1/pods', listPods)
      equal(error.code, 'KUBE_UNAUTHORIZED')
      ok(!`${error.message}${error.hint}`.includes('hunter2'))
    })

    it('is not trusted with a wrong authority', async () => {
      await writeFile(join(folder, 'other.crt'), new CertificateAuthority('other').certificate)
      await rejects(
        whoAmI({ kubeconfig: cluster.adminKubeconfig, certificateAuthority: 'other.crt' }),
        (error: unknown) => {
          ok(error instanceof DeckError)
          equal(error.code, 'KUBE_TLS')
          match(error.hint ?? '', /--certificate-authority/)
          return true
        },
      )
    })

    it('says which right is missing', async () => {
      const jane = { kubeconfig: cluster.user('jane', ['dev']) }
      const everywhere = await refusal(jane, '/api/v1/pods', listPods)
      equal(everywhere.code, 'KUBE_FORBIDDEN')
      equal(everywhere.message, 'user "jane" may not list pods in all namespaces')
      match(everywhere.hint ?? '', /-n NAMESPACE/)
      const here = await refusal(jane, '/apis/apps/v1/namespaces/default/deployments/web/scale', {
        verb: 'get',
        resource: 'deployments.apps/scale',
        namespace: 'default',
      })
      equal(here.message, 'user "jane" may not get deployments.apps/scale "web" in namespace default')
      const nodes = await refusal(jane, '/api/v1/nodes', {
        verb: 'list',
        resource: 'nodes',
        namespaced: false,
      })
      equal(nodes.message, 'user "jane" may not list nodes')
    })

    it('says what else is wrong', async () => {
      const admin = { kubeconfig: cluster.adminKubeconfig }
      const selector = await refusal(admin, '/api/v1/pods?labelSelector=a%3D%3D%3Db', listPods)
      deepEqual([selector.code, selector.status], ['KUBE_BAD_REQUEST', 400])
      match(selector.hint ?? '', /--selector/)
      const fields = await refusal(admin, '/api/v1/pods?fieldSelector=nonsense%3D1', listPods)
      equal(fields.code, 'KUBE_BAD_REQUEST')
      match(fields.message, /nonsense/)
      const missing = await refusal(admin, '/api/v1/namespaces/default/pods/gone', {
        verb: 'get',
        resource: 'pods',
        name: 'gone',
        namespace: 'default',
      })
      equal(missing.code, 'KUBE_NOT_FOUND')
      const unserved = await refusal(admin, '/apis/nobody.example/v1/things', {
        verb: 'list',
        resource: 'things',
      })
      match(unserved.hint ?? '', /does not serve this resource/)
      const accepts = await refusal(admin, '/api/v1/pods?limit=x', listPods)
      equal(accepts.code, 'KUBE_BAD_REQUEST')
    })
  })
})
