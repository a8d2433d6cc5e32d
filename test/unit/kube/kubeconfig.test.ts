import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import type { ClusterConnection, ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { contextNames, loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { ErrorCode } from '../../../src/core/lib/errors.ts'
import { fileError, memoryEnvironment } from './memory-environment.ts'
import type { MemoryMachine } from './memory-environment.ts'

const CA = Buffer.from('ca pem').toString('base64')

function config(context: string, parts: { server?: string; user?: string; namespace?: string } = {}): string {
  const { server = `https://${context}.test:6443`, user = '{token: t}', namespace } = parts
  return `
apiVersion: v1
kind: Config
current-context: ${context}
clusters: [{name: ${context}, cluster: {server: "${server}"}}]
contexts: [{name: ${context}, context: {cluster: ${context}, user: ${context}${namespace ? `, namespace: ${namespace}` : ''}}}]
users: [{name: ${context}, user: ${user}}]
`
}

function load(machine: MemoryMachine, overrides: ConnectionOverrides = {}): Promise<ClusterConnection> {
  return loadConnection(overrides, memoryEnvironment(machine))
}

function home(text: string, rest: MemoryMachine['files'] = {}): MemoryMachine {
  return { files: { '/home/me/.kube/config': text, ...rest } }
}

async function fails(work: Promise<unknown>, code: ErrorCode, message: RegExp, hint?: RegExp): Promise<void> {
  await rejects(work, (error: unknown) => {
    ok(error instanceof DeckError, String(error))
    equal(error.code, code, error.message)
    match(error.message, message)
    if (hint) match(error.hint ?? '', hint)
    return true
  })
}

describe('where a kubeconfig is looked for', () => {
  it('reads ~/.kube/config', async () => {
    const connection = await load(home(config('prod', { namespace: 'shop' })))
    equal(connection.server, 'https://prod.test:6443')
    deepEqual(
      [connection.contextName, connection.clusterName, connection.userName, connection.namespace],
      ['prod', 'prod', 'prod', 'shop'],
    )
    const origin = { file: '/home/me/.kube/config', user: 'prod' }
    deepEqual(connection.auth, { kind: 'token', token: 't', origin })
    equal(connection.source, 'kubeconfig')
  })

  it('reads only --kubeconfig, relative to the working folder', async () => {
    const machine = {
      files: { '/cwd/x/one': config('one'), '/two': config('two') },
      variables: { KUBECONFIG: '/two' },
    }
    equal((await load(machine, { kubeconfig: 'x/one' })).contextName, 'one')
    deepEqual(await contextNames({ kubeconfig: 'x/one' }, memoryEnvironment(machine)), ['one'])
  })

  it('merges the files of KUBECONFIG; names given twice and current-context are the first file’s', async () => {
    const machine = {
      variables: { KUBECONFIG: '/a:/gone:/b::/a' },
      files: {
        '/a': config('same', { server: 'https://first.test' }),
        '/b': `${config('same', { server: 'https://second.test', user: '{token: other}' })}
        `.replace('contexts: [', 'contexts: [{name: only-b, context: {cluster: same, user: same}}, '),
      },
    }
    const connection = await load(machine)
    equal(connection.server, 'https://first.test')
    deepEqual(connection.auth, { kind: 'token', token: 't', origin: { file: '/a', user: 'same' } })
    equal((await load(machine, { context: 'only-b' })).server, 'https://first.test')
    deepEqual(await contextNames({}, memoryEnvironment(machine)), ['only-b', 'same'])
  })

  it('takes current-context from the first file that has one', async () => {
    const machine = {
      variables: { KUBECONFIG: '/a:/b' },
      files: { '/a': config('a').replace('current-context: a', ''), '/b': config('b') },
    }
    equal((await load(machine)).contextName, 'b')
  })

  it('reads JSON, and a file that begins with a document marker', async () => {
    const json = JSON.stringify({
      'current-context': 'j',
      clusters: [{ name: 'j', cluster: { server: 'https://j.test' } }],
      contexts: [{ name: 'j', context: { cluster: 'j', user: '' } }],
    })
    equal((await load(home(json))).server, 'https://j.test')
    equal((await load(home(`---\n${config('d')}`))).contextName, 'd')
  })

  it('says where it looked when there is no kubeconfig', async () => {
    await fails(
      load({}),
      'KUBECONFIG_UNREADABLE',
      /no kubeconfig found: looked for \/home\/me\/\.kube\/config$/,
      /--kubeconfig/,
    )
    await fails(load({ variables: { KUBECONFIG: '/a:/b' } }), 'KUBECONFIG_UNREADABLE', /looked for \/a, \/b$/)
    await fails(load({ home: undefined }), 'KUBECONFIG_UNREADABLE', /HOME and KUBECONFIG are not set/)
  })

  it('refuses a missing --kubeconfig even where others exist', async () => {
    await fails(
      load(home(config('prod')), { kubeconfig: '/gone' }),
      'KUBECONFIG_UNREADABLE',
      /cannot read kubeconfig \/gone: there is no such file/,
      /--kubeconfig/,
    )
  })

  it('says why a file cannot be read', async () => {
    for (const [code, text] of [
      ['EACCES', /this user may not read it/],
      ['EISDIR', /it is a folder/],
      ['EIO', /EIO/],
    ] as const) {
      await fails(
        load({ files: { '/home/me/.kube/config': fileError(code) } }),
        'KUBECONFIG_UNREADABLE',
        text,
      )
    }
  })

  it('takes an empty file for an empty kubeconfig', async () => {
    await fails(load(home('')), 'KUBECONFIG_MALFORMED', /has no contexts/)
    equal((await load(home('# nothing'), { server: 'https://s.test' })).source, 'flags')
  })
})

describe('what in a kubeconfig is malformed', () => {
  for (const [what, text, message] of [
    ['no YAML', 'a: b\nc: [1', /config:2:\d+: it is not YAML/],
    ['a list', '- a', /it must be a mapping and is a list/],
    ['a page of HTML', '<html>', /it must be a mapping and is a string/],
    ['another kind', 'apiVersion: v1\nkind: Pod', /is not a kubeconfig: it holds a Pod of v1/],
    ['another version', 'apiVersion: v2', /it holds a Config of v2/],
    ['clusters as a mapping', 'clusters: {a: b}', /clusters must be a list and is a mapping/],
    ['a number for a name', 'contexts: [{name: 1}]', /contexts\[0\]\.name must be a string and is a number/],
    [
      'a number for a namespace',
      'contexts: [{name: x, context: {namespace: 12}}]',
      /contexts\[0\]\.context\.namespace must be a string/,
    ],
    [
      'certificate data that is no base64',
      'clusters: [{name: c, cluster: {certificate-authority-data: "###"}}]',
      /clusters\[0\]\.cluster\.certificate-authority-data is not valid base64/,
    ],
    ['a name twice in one file', 'users: [{name: u}, {name: u}]', /users names "u" twice/],
    [
      'something else than a boolean',
      'clusters: [{name: c, cluster: {insecure-skip-tls-verify: maybe}}]',
      /insecure-skip-tls-verify must be true or false/,
    ],
  ] as const) {
    it(what, () => fails(load(home(text)), 'KUBECONFIG_MALFORMED', message))
  }

  it('never quotes what may be a secret', async () => {
    await rejects(load(home('users: [{name: u, user: {token: [hunter2]}}]')), (error: unknown) => {
      ok(error instanceof DeckError)
      ok(!`${error.message}${error.hint}`.includes('hunter2'))
      return true
    })
  })

  it('reads the booleans of YAML 1.1 as kubectl does', async () => {
    const text = config('c').replace('server:', 'insecure-skip-tls-verify: yes, server:')
    equal((await load(home(text))).trust.insecure, true)
  })
})

describe('which context, cluster and user', () => {
  it('obeys --context, --cluster and --user', async () => {
    const machine = {
      variables: { KUBECONFIG: '/a:/b' },
      files: { '/a': config('a'), '/b': config('b', { user: '{token: tb}' }) },
    }
    equal((await load(machine, { context: 'b' })).server, 'https://b.test:6443')
    const mixed = await load(machine, { cluster: 'b', user: 'b' })
    deepEqual(
      [mixed.contextName, mixed.server, mixed.auth],
      ['a', 'https://b.test:6443', { kind: 'token', token: 'tb', origin: { file: '/b', user: 'b' } }],
    )
  })

  it('names the contexts there are when asked for another', async () => {
    await fails(
      load(home(config('prod')), { context: 'prd' }),
      'CONTEXT_UNKNOWN',
      /no context "prd" in \/home\/me\/\.kube\/config/,
      /There are: prod\./,
    )
  })

  it('says that current-context names none', async () => {
    await fails(
      load(home(config('prod').replace('current-context: prod', 'current-context: old'))),
      'CONTEXT_UNKNOWN',
      /current-context of .* is "old"/,
      /prod/,
    )
  })

  it('says that no context is chosen', async () => {
    await fails(
      load(home(config('prod').replace('current-context: prod', ''))),
      'CONTEXT_UNKNOWN',
      /no context is chosen/,
      /one of prod with --context/,
    )
  })

  it('refuses an unknown --cluster and --user', async () => {
    await fails(load(home(config('a')), { cluster: 'x' }), 'CONTEXT_UNKNOWN', /no cluster "x"/, /a/)
    await fails(load(home(config('a')), { user: 'x' }), 'CONTEXT_UNKNOWN', /no user "x"/, /a/)
  })

  it('says which name leads nowhere', async () => {
    const noCluster = config('a').replace('cluster: a, user', 'cluster: gone, user')
    await fails(
      load(home(noCluster)),
      'KUBECONFIG_MALFORMED',
      /context "a" names cluster "gone", which is not in/,
    )
    const noUser = config('a').replace('user: a}', 'user: gone}')
    await fails(load(home(noUser)), 'KUBECONFIG_MALFORMED', /names user "gone", which is not in/)
    equal((await load(home(noUser), { token: 't' })).auth.kind, 'token')
    await fails(
      load(home(config('a', { server: '' }))),
      'KUBECONFIG_MALFORMED',
      /cluster "a" in .* has no server/,
    )
  })

  it('keeps the TLS settings of a context without a user', async () => {
    const text = `
current-context: c
clusters: [{name: c, cluster: {server: https://c.test, certificate-authority-data: ${CA}, tls-server-name: kube}}]
contexts: [{name: c, context: {cluster: c, user: ""}}]
`
    const connection = await load(home(text))
    deepEqual(connection.trust, { authority: { pem: 'ca pem' }, serverName: 'kube', insecure: false })
    deepEqual(connection.auth, { kind: 'none' })
  })

  it('needs no kubeconfig with --server', async () => {
    const connection = await load({}, { server: 'https://s.test/', token: 't' })
    deepEqual(
      [connection.server, connection.source, connection.namespace],
      ['https://s.test', 'flags', 'default'],
    )
  })

  it('obeys KUBERNETES_MASTER where nothing else names a server', async () => {
    equal(
      (await load({ variables: { KUBERNETES_MASTER: 'http://m.test:8080' } })).server,
      'http://m.test:8080',
    )
  })
})

describe('the server', () => {
  it('is plain http without a scheme, as in client-go', async () => {
    equal((await load({}, { server: 'localhost:6443' })).server, 'http://localhost:6443')
    equal((await load({}, { server: '10.0.0.1:80' })).server, 'http://10.0.0.1')
  })

  it('keeps its path', async () => {
    equal((await load({}, { server: 'https://s.test/k8s/c-1//' })).server, 'https://s.test/k8s/c-1')
  })

  it('of another scheme is refused', async () => {
    await fails(
      load({}, { server: 'ftp://s.test' }),
      'USAGE',
      /^the server "ftp:\/\/s\.test" of --server is not an http or https URL$/,
    )
    const given = home(config('h', { server: 'ftp://h.test' }))
    await fails(load(given), 'KUBECONFIG_MALFORMED', /of cluster "h" is not an http or https URL$/)
    const variables = { KUBERNETES_MASTER: 'ftp://m.test' }
    await fails(load({ variables }), 'KUBECONFIG_MALFORMED', /of the variable KUBERNETES_MASTER is not/)
  })

  for (const server of [
    'https://admin:hunter2@host:99999',
    'https://admin:hunter2/3@host:6443',
    'https://admin:hunter2@x@host:99999',
    'https://admin:%zzhunter2@host',
    'ftp://admin:hunter2@host',
    'admin:hunter2@host:99999',
    'http://admin:hunter2@host',
  ]) {
    it(`${server.replace('hunter2', '…')} is refused without its password`, async () => {
      const work = load({}, { server })
      await fails(work, 'USAGE', /of --server (?:is not an http or https URL|has a login in it)/)
      await work.catch(({ message, hint }: DeckError) => ok(!`${message}${hint}`.includes('hunter2')))
    })
  }

  it('may hold a login, which goes before every other as Go sends it and into no message', async () => {
    const connection = await load(home(config('l', { server: 'https://ann:p%40ss@l.test:6443/k8s' })))
    equal(connection.server, 'https://l.test:6443/k8s')
    deepEqual(connection.auth, { kind: 'basic', username: 'ann', password: 'p@ss' })
  })

  it('by http gets no credentials, and may be impersonated on', async () => {
    const connection = await load(home(config('h', { server: 'http://h.test' })), { as: 'eve' })
    deepEqual(connection.auth, { kind: 'none' })
    equal(connection.clientCertificate, undefined)
    equal(connection.impersonate?.user, 'eve')
  })
})

describe('how we are known', () => {
  const user = (text: string): string => config('c', { user: text })
  const files = { '/home/me/.kube/t': 'x', '/home/me/.kube/c.crt': 'x', '/home/me/.kube/c.key': 'x' }

  it('resolves relative paths against the file that names them', async () => {
    const connection = await load(
      home(user('{tokenFile: t, client-certificate: ./c.crt, client-key: ../.kube/c.key}'), files),
    )
    deepEqual(connection.auth, { kind: 'token-file', file: '/home/me/.kube/t', token: '' })
    deepEqual(connection.clientCertificate, {
      certificate: { file: '/home/me/.kube/c.crt' },
      key: { file: '/home/me/.kube/c.key' },
    })
  })

  it('lets tokenFile go before token', async () => {
    deepEqual((await load(home(user('{token: a, tokenFile: t}'), files))).auth, {
      kind: 'token-file',
      file: '/home/me/.kube/t',
      token: 'a',
    })
  })

  it('lets --token go before everything in the file', async () => {
    for (const text of [
      '{token: a}',
      '{tokenFile: t}',
      '{exec: {command: x, apiVersion: client.authentication.k8s.io/v1beta1}}',
    ]) {
      deepEqual((await load(home(user(text), files), { token: 'flag' })).auth, {
        kind: 'token',
        token: 'flag',
        origin: undefined,
      })
    }
  })

  it('lets --client-certificate and --client-key replace data in the file', async () => {
    const text = user('{client-certificate-data: eA==, client-key-data: eA==}')
    const connection = await load(home(text, { '/cwd/a.crt': 'x', '/cwd/a.key': 'x' }), {
      clientCertificate: 'a.crt',
      clientKey: 'a.key',
    })
    deepEqual(connection.clientCertificate, {
      certificate: { file: '/cwd/a.crt' },
      key: { file: '/cwd/a.key' },
    })
  })

  it('knows passwords', async () => {
    deepEqual((await load(home(user('{username: u, password: p}')))).auth, {
      kind: 'basic',
      username: 'u',
      password: 'p',
    })
  })

  it('runs no plugin beside a client certificate, as client-go', async () => {
    const text = user(
      '{client-certificate-data: eA==, client-key-data: eA==, exec: {command: x, apiVersion: client.authentication.k8s.io/v1beta1}}',
    )
    deepEqual((await load(home(text))).auth, { kind: 'none' })
  })

  it('reads an exec plugin with the cluster’s own settings for it', async () => {
    const text = `
current-context: c
clusters:
- name: c
  cluster:
    server: https://c.test
    extensions:
    - {name: other, extension: 1}
    - {name: client.authentication.k8s.io/exec, extension: {audience: a}}
contexts: [{name: c, context: {cluster: c, user: u}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: bin/login
      args: [--x]
      env: [{name: A, value: "1"}]
      interactiveMode: Never
      provideClusterInfo: true
      installHint: get it
`
    deepEqual((await load(home(text))).auth, {
      kind: 'exec',
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: '/home/me/.kube/bin/login',
        args: ['--x'],
        env: [{ name: 'A', value: '1' }],
        interactiveMode: 'Never',
        provideClusterInfo: true,
        installHint: 'get it',
        clusterConfig: { audience: 'a' },
      },
    })
  })

  it('keeps a legacy auth-provider and where it was written', async () => {
    deepEqual((await load(home(user('{auth-provider: {name: oidc, config: {id-token: x}}}')))).auth, {
      kind: 'auth-provider',
      provider: {
        name: 'oidc',
        config: { 'id-token': 'x' },
        origin: { file: '/home/me/.kube/config', user: 'c' },
      },
    })
  })

  for (const [text, message] of [
    ['{token: a, username: b}', /has a token and a username or password/],
    [
      '{client-certificate: c.crt, client-certificate-data: eA==, client-key: c.key}',
      /both client-certificate and/,
    ],
    ['{client-certificate: c.crt, client-key: c.key, client-key-data: eA==}', /both client-key and/],
    ['{client-certificate: c.crt}', /has a client certificate and no key/],
    ['{exec: {command: x}}', /has apiVersion ""/],
    ['{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}', /has apiVersion "client/],
    ['{exec: {apiVersion: client.authentication.k8s.io/v1, command: x}}', /has no interactiveMode/],
    [
      '{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Often}}',
      /has interactiveMode "Often"/,
    ],
    ['{exec: {apiVersion: client.authentication.k8s.io/v1beta1}}', /has no command/],
    [
      '{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, env: [{value: "1"}]}}',
      /env entry without a name/,
    ],
    [
      '{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}, auth-provider: {name: oidc}}',
      /has both exec and auth-provider/,
    ],
  ] as const) {
    it(`refuses the user ${text}`, () =>
      fails(load(home(user(text), files)), 'KUBECONFIG_MALFORMED', message))
  }

  it('names the file that cannot be read', async () => {
    await fails(
      load(home(user('{client-certificate: gone.crt, client-key: c.key}'), files)),
      'KUBECONFIG_UNREADABLE',
      /cannot read the client-certificate \/home\/me\/\.kube\/gone\.crt of user "c": there is no such file/,
      /--client-certificate/,
    )
    await fails(
      load(home(user('{tokenFile: gone}'))),
      'KUBECONFIG_UNREADABLE',
      /tokenFile \/home\/me\/\.kube\/gone/,
    )
  })
})

describe('whom we act as', () => {
  it('takes user, uid, groups and extra from the kubeconfig', async () => {
    const text = config('c', {
      user: '{token: t, as: eve, as-uid: "7", as-groups: [a, b], as-user-extra: {k: [x, y]}}',
    })
    deepEqual((await load(home(text))).impersonate, {
      user: 'eve',
      uid: '7',
      groups: ['a', 'b'],
      extra: { k: ['x', 'y'] },
    })
  })

  it('lets flags replace them, extra key by key', async () => {
    const text = config('c', { user: '{token: t, as: eve, as-groups: [a], as-user-extra: {k: [x], l: [z]}}' })
    deepEqual(
      (await load(home(text), { as: 'ann', asGroups: ['g', 'h'], asUserExtra: ['k=1', 'k=2=3'] }))
        .impersonate,
      { user: 'ann', uid: '', groups: ['g', 'h'], extra: { k: ['1', '2=3'], l: ['z'] } },
    )
  })

  it('refuses groups of nobody, and an extra without a value', async () => {
    for (const [flags, flag] of [
      [{ asGroups: ['g'] }, '--as-group'],
      [{ asUid: '7' }, '--as-uid'],
      [{ asUserExtra: ['k='] }, '--as-user-extra'],
    ] as const) {
      const message = new RegExp(`^${flag} is of use only with --as, which`)
      await fails(load(home(config('c')), flags), 'USAGE', message, /--as USER/)
    }
    await fails(
      load(home(config('c', { user: '{token: t, as-groups: [a]}' }))),
      'KUBECONFIG_MALFORMED',
      /^as-groups of user "c" is of use only with as, /,
    )
    await fails(
      load(home(config('c')), { as: 'a', asUserExtra: ['k'] }),
      'USAGE',
      /--as-user-extra wants KEY=VALUE/,
    )
  })
})

describe('whom we act as, with a line break in it', () => {
  for (const [flags, flag] of [
    [{ as: 'eve\nImpersonate-Group: system:masters' }, '--as'],
    [{ as: 'eve', asUid: '7\u0000' }, '--as-uid'],
    [{ as: 'eve', asGroups: ['g', 'h\r'] }, '--as-group'],
    [{ as: 'eve', asUserExtra: ['k=a\u007f'] }, '--as-user-extra'],
  ] as const) {
    it(`is refused of ${flag}`, () =>
      fails(load(home(config('c')), flags), 'USAGE', new RegExp(`^${flag} has a control character`)))
  }

  it('is refused of the kubeconfig', () =>
    fails(
      load(home(config('c', { user: '{token: t, as: "eve\\n"}' }))),
      'KUBECONFIG_MALFORMED',
      /^as of user "c" has a control character/,
    ))
})

describe('how the server is known', () => {
  const cluster = (text: string): string =>
    config('c').replace(
      'cluster: {server: "https://c.test:6443"}',
      `cluster: {server: "https://c.test", ${text}}`,
    )

  it('lets --insecure-skip-tls-verify clear the authority', async () => {
    const connection = await load(home(cluster(`certificate-authority-data: ${CA}`)), {
      insecureSkipTlsVerify: true,
    })
    deepEqual(connection.trust, { authority: undefined, serverName: undefined, insecure: true })
  })

  it('lets --certificate-authority clear data and insecure', async () => {
    const machine = home(cluster('insecure-skip-tls-verify: true'), { '/cwd/ca.crt': 'x' })
    deepEqual((await load(machine, { certificateAuthority: 'ca.crt' })).trust, {
      authority: { file: '/cwd/ca.crt' },
      serverName: undefined,
      insecure: false,
    })
  })

  it('forgets tls-server-name with --server, unless given too', async () => {
    const machine = home(cluster('tls-server-name: kube'))
    equal((await load(machine)).trust.serverName, 'kube')
    equal((await load(machine, { server: 'https://o.test' })).trust.serverName, undefined)
    equal((await load(machine, { server: 'https://o.test', tlsServerName: 'n' })).trust.serverName, 'n')
  })

  it('refuses contradictions and what cannot be read', async () => {
    const both = cluster(`certificate-authority-data: ${CA}, certificate-authority: ca.crt`)
    await fails(load(home(both)), 'KUBECONFIG_MALFORMED', /both certificate-authority and/)
    const insecure = cluster(`certificate-authority-data: ${CA}, insecure-skip-tls-verify: true`)
    await fails(
      load(home(insecure)),
      'KUBECONFIG_MALFORMED',
      /insecure-skip-tls-verify, which would ignore it/,
    )
    await fails(
      load(home(cluster('certificate-authority: ca.crt'))),
      'KUBECONFIG_UNREADABLE',
      /certificate-authority \/home\/me\/\.kube\/ca\.crt of cluster "c"/,
    )
  })

  it('knows proxy-url and disable-compression', async () => {
    const connection = await load(
      home(cluster('proxy-url: "socks5://p.test:1080", disable-compression: true')),
    )
    deepEqual([connection.proxyUrl, connection.disableCompression], ['socks5://p.test:1080', true])
    equal((await load(home(config('c')), { disableCompression: true })).disableCompression, true)
    await rejects(load(home(cluster('proxy-url: "quic://u:hunter2@p.test"'))), (error: unknown) => {
      ok(error instanceof DeckError)
      equal(error.code, 'KUBECONFIG_MALFORMED')
      ok(!error.message.includes('hunter2'))
      return true
    })
  })
})

describe('--request-timeout and --namespace', () => {
  it('reads seconds and Go durations', async () => {
    for (const [text, ms] of [
      [undefined, 0],
      ['0', 0],
      ['0s', 0],
      ['30', 30_000],
      ['1m30s', 90_000],
      ['1.5h', 5_400_000],
      ['.5s', 500],
      ['250ms', 250],
      ['1ns', 1],
    ] as const) {
      equal((await load({}, { server: 'https://s.test', requestTimeout: text })).requestTimeoutMs, ms, text)
    }
    for (const text of ['soon', '-1s', '1 s', '1d', 's']) {
      await fails(load({}, { server: 'https://s.test', requestTimeout: text }), 'USAGE', /--request-timeout/)
    }
  })

  it('takes the namespace of the flag, the context, or default', async () => {
    const inContext = home(config('c', { namespace: 'shop' }))
    deepEqual([(await load(inContext)).namespace, (await load(inContext)).namespaceGiven], ['shop', false])
    const flagged = await load(inContext, { namespace: 'pay' })
    deepEqual([flagged.namespace, flagged.namespaceGiven], ['pay', true])
    equal((await load(home(config('c')))).namespace, 'default')
  })

  it('takes an empty flag for none', async () => {
    const connection = await load(home(config('c', { namespace: 'shop' })), {
      namespace: '',
      context: '',
      token: '',
    })
    deepEqual(
      [connection.namespace, connection.auth],
      ['shop', { kind: 'token', token: 't', origin: { file: '/home/me/.kube/config', user: 'c' } }],
    )
  })
})
