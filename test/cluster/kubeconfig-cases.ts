import type { ConnectionOverrides } from '../../src/core/kube/connection.ts'

/** One set of kubeconfig files that kubectl and we must read alike. */
export interface KubeconfigCase {
  readonly name: string
  /** Text by path relative to the case's folder; `{CA}`, `{CERT}`, `{KEY}` stand for base64 of PEM texts. */
  readonly files: Readonly<Record<string, string>>
  /** Paths of KUBECONFIG relative to the folder; left out: the variable is not set, and the folder is the home. */
  readonly list?: readonly string[]
  readonly flags?: Pick<ConnectionOverrides, 'kubeconfig' | 'context'>
  /** Both must refuse it. */
  readonly refused?: boolean
}

function config(name: string, rest: { cluster?: string; user?: string; context?: string } = {}): string {
  const { cluster = '', user = `token: ${name}-token`, context = '' } = rest
  return `apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- name: ${name}
  cluster:
    server: https://${name}.test:6443
    ${cluster}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}
    ${context}
users:
- name: ${name}
  user:
    ${user}
`
}

const shared = (server: string, token: string): string =>
  config('shared', { user: `token: ${token}` }).replace('https://shared.test:6443', server)

const EXEC =
  'exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login, args: [a, b], env: [{name: E, value: "1"}], installHint: get it, provideClusterInfo: true}'

/** What the two are compared on. */
export const KUBECONFIG_CASES: readonly KubeconfigCase[] = [
  {
    name: 'the file in the home folder',
    files: { '.kube/config': config('a', { context: 'namespace: shop' }) },
  },
  { name: 'one file of KUBECONFIG', files: { a: config('a') }, list: ['a'] },
  {
    name: 'a list with missing and empty entries',
    files: { a: config('a'), c: config('c') },
    list: ['gone', '', 'a', 'c'],
  },
  {
    name: 'a name in two files',
    files: { a: shared('https://first.test', 'one'), b: shared('https://second.test', 'two') },
    list: ['a', 'b'],
  },
  {
    name: 'a name in two files, the other way round',
    files: { a: shared('https://first.test', 'one'), b: shared('https://second.test', 'two') },
    list: ['b', 'a'],
  },
  {
    name: 'a user of which the first file says less',
    files: {
      a: config('a', { user: 'token: one' }),
      b: config('a', { user: 'username: u\n    password: p' }),
    },
    list: ['a', 'b'],
  },
  {
    name: 'a current-context in the second file only',
    files: { a: config('a').replace('current-context: a\n', ''), b: config('b') },
    list: ['a', 'b'],
  },
  {
    name: 'a context in one file, its cluster in another',
    files: {
      a: 'contexts: [{name: x, context: {cluster: c, user: u, namespace: shop}}]\ncurrent-context: x\n',
      b: 'clusters: [{name: c, cluster: {server: "https://c.test"}}]\nusers: [{name: u, user: {token: t}}]\n',
    },
    list: ['a', 'b'],
  },
  { name: '--context', files: { a: config('a'), b: config('b') }, list: ['a', 'b'], flags: { context: 'b' } },
  {
    name: '--kubeconfig before KUBECONFIG',
    files: { a: config('a'), b: config('b') },
    list: ['a'],
    flags: { kubeconfig: 'b' },
  },
  {
    name: 'files relative to the one that names them',
    files: {
      'sub/a': config('a', {
        cluster: 'certificate-authority: pki/ca.crt',
        user: 'client-certificate: ./pki/me.crt\n    client-key: ../sub/pki/me.key',
      }),
      'sub/pki/ca.crt': '{CA}',
      'sub/pki/me.crt': '{CERT}',
      'sub/pki/me.key': '{KEY}',
    },
    list: ['sub/a'],
  },
  {
    name: 'data in place of files',
    files: {
      a: config('a', {
        cluster: 'certificate-authority-data: {CA64}',
        user: 'client-certificate-data: {CERT64}\n    client-key-data: {KEY64}',
      }),
    },
    list: ['a'],
  },
  {
    name: 'tokenFile',
    files: { 'sub/a': config('a', { user: 'tokenFile: t' }), 'sub/t': 'x' },
    list: ['sub/a'],
  },
  {
    name: 'token and tokenFile',
    files: { a: config('a', { user: 'token: x\n    tokenFile: t' }), t: 'y' },
    list: ['a'],
  },
  {
    name: 'a password',
    files: { a: config('a', { user: 'username: u\n    password: "1234"' }) },
    list: ['a'],
  },
  {
    name: 'impersonation',
    files: {
      a: config('a', {
        user: 'token: t\n    as: eve\n    as-uid: "7"\n    as-groups: [g, h]\n    as-user-extra: {k: [v, w]}',
      }),
    },
    list: ['a'],
  },
  { name: 'an exec plugin', files: { 'sub/a': config('a', { user: EXEC }) }, list: ['sub/a'] },
  {
    name: 'an exec plugin in PATH',
    files: { a: config('a', { user: EXEC.replace('./bin/login', 'login') }) },
    list: ['a'],
  },
  {
    name: 'an auth-provider',
    files: {
      a: config('a', {
        user: 'auth-provider: {name: oidc, config: {client-id: c, idp-issuer-url: "https://i.test", id-token: x}}',
      }),
    },
    list: ['a'],
  },
  {
    name: 'every setting of a cluster',
    files: {
      a: config('a', {
        cluster:
          'insecure-skip-tls-verify: true\n    tls-server-name: kube\n    proxy-url: http://u:p@proxy.test:3128\n    disable-compression: true',
      }),
    },
    list: ['a'],
  },
  {
    name: 'booleans of YAML 1.1',
    files: { a: config('a', { cluster: 'insecure-skip-tls-verify: yes' }) },
    list: ['a'],
  },
  {
    name: 'JSON',
    files: {
      a: JSON.stringify({
        'current-context': 'j',
        clusters: [{ name: 'j', cluster: { server: 'https://j.test' } }],
        contexts: [{ name: 'j', context: { cluster: 'j', user: 'j' } }],
        users: [{ name: 'j', user: { token: 't' } }],
      }),
    },
    list: ['a'],
  },
  {
    name: 'names that are odd',
    files: {
      a: config('"arn:aws:eks:eu/west 1@__proto__"')
        .replaceAll('https://"arn:aws:eks:eu/west 1@__proto__".test', 'https://odd.test')
        .replace('token: "arn:aws:eks:eu/west 1@__proto__"-token', 'token: t'),
    },
    list: ['a'],
  },
  {
    name: 'a name __proto__',
    files: { a: config('__proto__').replace('https://__proto__.test', 'https://p.test') },
    list: ['a'],
  },
  {
    name: 'anchors and merge keys',
    files: { a: config('a', { cluster: '<<: &x {tls-server-name: kube}', context: 'namespace: &n shop' }) },
    list: ['a'],
  },
  { name: 'a key given twice', files: { a: `current-context: nobody\n${config('a')}` }, list: ['a'] },
  { name: 'two documents', files: { a: `---\n${config('a')}---\ncurrent-context: nobody\n` }, list: ['a'] },
  {
    name: 'fields that nobody knows',
    files: { a: `preferences: {colors: true}\nfoo: [bar]\n${config('a', { cluster: 'foo: 1' })}` },
    list: ['a'],
  },
  {
    name: 'lists that are null',
    files: { a: config('a'), b: 'clusters: null\nusers:\ncontexts: []\n' },
    list: ['b', 'a'],
  },
  { name: 'an empty file first', files: { a: '', b: config('b') }, list: ['a', 'b'] },
  {
    name: 'base64 over two lines',
    files: { a: config('a', { cluster: 'certificate-authority-data: "aGVs\\nbG8="' }) },
    list: ['a'],
  },
  {
    name: 'a missing --kubeconfig',
    files: { a: config('a') },
    list: ['a'],
    flags: { kubeconfig: 'gone' },
    refused: true,
  },
  { name: 'nothing but missing files', files: {}, list: ['gone', 'lost'], refused: true },
  {
    name: 'an unknown --context',
    files: { a: config('a') },
    list: ['a'],
    flags: { context: 'b' },
    refused: true,
  },
  {
    name: 'a current-context that leads nowhere',
    files: { a: config('a').replace('current-context: a', 'current-context: b') },
    list: ['a'],
    refused: true,
  },
  {
    name: 'no current-context',
    files: { a: config('a').replace('current-context: a', '') },
    list: ['a'],
    refused: true,
  },
  {
    name: 'a name twice in one file',
    files: { a: `${config('a')}- name: a\n  user: {}\n` },
    list: ['a'],
    refused: true,
  },
  {
    name: 'a broken file among good ones',
    files: { a: config('a'), b: 'a: [1' },
    list: ['a', 'b'],
    refused: true,
  },
  { name: 'a folder among files', files: { a: config('a'), 'd/x': '' }, list: ['a', 'd'], refused: true },
  { name: 'a number for a name', files: { a: config('1') }, list: ['a'], refused: true },
  {
    name: 'a number for a token',
    files: { a: config('a', { user: 'token: 123' }) },
    list: ['a'],
    refused: true,
  },
  {
    name: 'base64 that is none',
    files: { a: config('a', { cluster: 'certificate-authority-data: "###"' }) },
    list: ['a'],
    refused: true,
  },
  {
    name: 'another kind',
    files: { a: config('a').replace('kind: Config', 'kind: Pod') },
    list: ['a'],
    refused: true,
  },
  {
    name: 'another version',
    files: { a: config('a').replace('apiVersion: v1', 'apiVersion: v2') },
    list: ['a'],
    refused: true,
  },
  { name: 'a list', files: { a: '- a\n' }, list: ['a'], refused: true },
]
