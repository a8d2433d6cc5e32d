import { createHash } from 'node:crypto'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'

/** A place in which people put credentials. */
export interface Place {
  readonly name: string
  /** What the credential may be made of there without being written otherwise. */
  readonly alphabet: 'letters' | 'word' | 'any'
  /** What stands around it. */
  readonly around: string
  readonly plant: (secrets: readonly string[]) => {
    readonly resource: { readonly group: string; readonly resource: string }
    readonly object: KubernetesObject
  }
}

type Write = (secret: string, index: number) => string

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

const metadata = { name: 'web', namespace: 'shop' }

/** A file of a ConfigMap, each credential in a line or lines of its own. */
function file(name: string, alphabet: Place['alphabet'], write: Write, join = '\n'): Place {
  return {
    name,
    alphabet,
    around: write('', 0),
    plant: (secrets) => ({
      resource: { group: '', resource: 'configmaps' },
      object: { metadata, data: { file: ['# first', ...secrets.map(write), '# last'].join(join) } },
    }),
  }
}

/** A container of a pod template. */
function container(
  name: string,
  alphabet: Place['alphabet'],
  make: (secrets: readonly string[]) => object,
): Place {
  return {
    name,
    alphabet,
    around: JSON.stringify(make([''])),
    plant: (secrets) => ({
      resource: { group: 'apps', resource: 'deployments' },
      object: {
        metadata,
        spec: { template: { spec: { containers: [{ name: 'app', image: 'nginx', ...make(secrets) }] } } },
      },
    }),
  }
}

function secretObject(name: string, make: (secrets: readonly string[]) => KubernetesObject): Place {
  return {
    name,
    alphabet: 'any',
    around: '',
    plant: (secrets) => ({ resource: { group: '', resource: 'secrets' }, object: make(secrets) }),
  }
}

const VARIABLES = [
  'DB_PASSWORD',
  'API_TOKEN',
  'awsSecretAccessKey',
  'MYSQL_ROOT_PASS',
  'CONNECTION_STRING',
  'SENTRY_DSN',
]
const variable = (index: number): string => VARIABLES[index % VARIABLES.length] ?? ''

const indexed = (secrets: readonly string[], write: Write): Record<string, string> =>
  Object.fromEntries(secrets.map((secret, index) => [`key-${index}`, write(secret, index)]))

/** Where the tests plant credentials. */
export const PLACES: readonly Place[] = [
  secretObject('data of a Secret', (secrets) => ({ metadata, data: indexed(secrets, base64) })),
  secretObject('stringData of a Secret', (secrets) => ({ metadata, stringData: indexed(secrets, (s) => s) })),
  secretObject('annotations of a Secret', (secrets) => ({
    metadata: {
      ...metadata,
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
          stringData: secrets,
          data: secrets.map(base64),
        }),
        'example.com/note': `was ${secrets.join(' and ')}`,
        'example.com/checksum': secrets.map((secret) => sha256(secret).toString('hex')).join(),
        'example.com/digest': secrets.map((secret) => sha256(secret).toString('base64')).join(),
      },
    },
    data: indexed(secrets, base64),
  })),
  container('variables', 'any', (secrets) => ({
    env: secrets.map((value, index) => ({ name: variable(index), value })),
  })),
  container('an init container of a job', 'any', (secrets) => ({
    lifecycle: {
      postStart: { httpGet: { httpHeaders: secrets.map((value) => ({ name: 'Authorization', value })) } },
    },
  })),
  container('flags', 'any', (secrets) => ({ args: secrets.map((secret) => `--db-password=${secret}`) })),
  container('flags with a value of their own', 'any', (secrets) => ({
    command: ['run', ...secrets.flatMap((secret) => ['--client-secret', secret.replace(/^-+/, 'x')])],
  })),
  container('a shell command', 'word', (secrets) => ({
    command: ['sh', '-c', secrets.map((secret) => `PGPASSWORD=${secret}`).join('\n')],
  })),
  container('a flag in a shell command', 'word', (secrets) => ({
    command: [
      'sh',
      '-c',
      `exec run ${secrets.map((secret) => `--token ${secret} --api-key=${secret}`).join(' ')} --v 2`,
    ],
  })),
  container('URLs of variables', 'letters', (secrets) => ({
    env: secrets.map((secret) => ({ name: 'DATABASE', value: `postgres://web:${secret}@db.shop:5432/shop` })),
  })),
  {
    name: 'keys of a ConfigMap',
    alphabet: 'any',
    around: '',
    plant: (secrets) => ({
      resource: { group: '', resource: 'configmaps' },
      object: {
        metadata,
        data: Object.fromEntries(secrets.map((secret, index) => [`${variable(index)}.${index}`, secret])),
        binaryData: indexed(secrets, base64),
      },
    }),
  },
  {
    name: 'fields of any kind',
    alphabet: 'any',
    around: '',
    plant: (secrets) => ({
      resource: { group: 'example.com', resource: 'databases' },
      object: {
        metadata,
        spec: {
          auth: { rootPassword: secrets[0], tokens: secrets },
          selector: { auth: { password: secrets[0] } },
          labels: [{ token: secrets[0] }],
          helm: { parameters: secrets.map((value) => ({ name: 'auth.password', value })) },
        },
      },
    }),
  },
  file('YAML', 'word', (s) => `  password: ${s}`),
  file('YAML to the end of the line', 'any', (s) => `password: x${s.replaceAll(/["'`]/g, '')}`),
  file('YAML in double quotes', 'any', (s) => `  - apiToken: ${JSON.stringify(s)}`),
  file('YAML in single quotes', 'any', (s) => `client_secret: '${s.replaceAll("'", "''")}'`),
  file('a block of YAML', 'any', (s) => `  private_key: |\n    ${s.trim()}\n    ${s.trim()}\n  next: 1`),
  file('a list of YAML', 'word', (s) => `tokens:\n- ${s}\nnext: 1`),
  file('variables of YAML', 'any', (s, i) => `- name: ${variable(i)}\n  value: ${JSON.stringify(s)}`),
  file('JSON', 'any', (s) => JSON.stringify({ a: 1, password: s, nested: { api_key: s }, z: [1] })),
  file('indented JSON', 'any', (s) => JSON.stringify({ a: 1, password: s, z: [1] }, null, 2)),
  file('JSON in JSON', 'any', (s) => JSON.stringify({ a: JSON.stringify({ token: s, b: 2 }) })),
  file('properties', 'any', (s) => `spring.datasource.password=${s.trim().replaceAll(/["'`\\]/g, '')}`),
  file('a file of variables', 'any', (s, i) => `export ${variable(i)}="${s.replaceAll(/["\\`]/g, '')}"`),
  file('TOML', 'any', (s) => `password = ${JSON.stringify(s)}`),
  file('XML', 'word', (s) => `<password>${s}</password>`),
  file('attributes of XML', 'word', (s) => `<server user="web" password="${s}" port="1"/>`),
  file('a connection string', 'letters', (s) => `Server=db;User Id=web;Password=${s};Port=5432`),
  file('a query', 'letters', (s) => `callback: https://example.com/hook?page=1&access_token=${s}&x=2`),
  file('a header', 'letters', (s) => `proxy_set_header X "Bearer ${s}";`),
  file('a header of a command', 'letters', (s) => `curl -H "Authorization: Bearer ${s}" https://example.com`),
  file('basic authentication', 'letters', (s) => `x Basic ${base64(`web:${s}`)}`),
  file('a URL', 'letters', (s) => `mongodb://web:${s}@a.example.com,b.example.com/shop`),
  file('a URL without a user', 'letters', (s) => `cache redis://:${s}@redis:6379/0`),
  file('a driver', 'letters', (s) => `web:${s}@tcp(db:3306)/shop`),
  file(
    'a private key',
    'letters',
    (s) => `-----BEGIN EC PRIVATE KEY-----\n${s}\n${s}\n-----END EC PRIVATE KEY-----`,
  ),
  file('a private key without an end', 'letters', (s) => `-----BEGIN PRIVATE KEY-----\n${s}\n${s}`),
  file('a private key in JSON', 'letters', (s) =>
    JSON.stringify({ pem: `-----BEGIN PRIVATE KEY-----\n${s}\n-----END PRIVATE KEY-----\n` }),
  ),
  file('a token of GitHub', 'letters', (s) => `remote ghp_${s} and github_pat_${s}`),
  file('a token of Slack', 'letters', (s) => `notify xoxb-${s}`),
  file('a key of Stripe', 'letters', (s) => `charge sk_live_${s} now`),
  file('a JSON Web Token', 'letters', (s) => `x ${['eyJhbGciOiJub25lIn0', s, s].join('.')} y`),
  file('a manifest of a Secret', 'any', (s) => `apiVersion: v1\nkind: Secret\ndata:\n  a: ${base64(s)}`),
]
