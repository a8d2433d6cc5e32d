import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import { createRedactor, isRedacted, REDACTED } from '../../../src/core/model/redact-object.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { PLACES, type Place } from './redact-places.ts'

const hmac = (text: string): string => createHmac('sha256', 'a key of a test').update(text).digest('hex')
const redact = createRedactor({ hmac, paths: [] })

const SECRETS = { group: '', resource: 'secrets' }
const CONFIGMAPS = { group: '', resource: 'configmaps' }
const DEPLOYMENTS = { group: 'apps', resource: 'deployments' }
const MARK = /^redacted:[0-9a-f]{16}$/

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function configMap(data: Record<string, string>): KubernetesObject {
  return { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'web', namespace: 'shop' }, data }
}

/** The text of a ConfigMap's file after redaction, with each mark as `***`. */
function redactedFile(text: string): string {
  const { data } = redact(CONFIGMAPS, configMap({ file: text })) as { data: { file: string } }
  return data.file.replaceAll(/redacted:[0-9a-f]{16}/g, '***')
}

/** Every text in a value, keys included. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  if (typeof value !== 'object' || value === null) return
  for (const [key, field] of Object.entries(value)) {
    yield key
    yield* textsIn(field)
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const field of Object.values(Object.freeze(value))) frozen(field)
  return value
}

describe('redaction', () => {
  describe('of a Secret', () => {
    it('takes every value and keeps every key', () => {
      const data = { user: base64('alice'), password: base64('correct horse'), empty: '', binary: '/////w==' }
      const redacted = redact(SECRETS, {
        kind: 'Secret',
        apiVersion: 'v1',
        metadata: {},
        type: 'Opaque',
        data,
      })
      assert.deepEqual(Object.keys(redacted['data'] as object), Object.keys(data))
      for (const value of Object.values(redacted['data'] as object)) assert.match(String(value), MARK)
      assert.equal(redacted['type'], 'Opaque')
    })

    it('gives a value one mark, in base64 and as it is', () => {
      const { data, stringData } = redact(SECRETS, {
        metadata: { name: 'db' },
        data: { a: base64('naïve 🔑'), b: base64('other') },
        stringData: { a: 'naïve 🔑' },
      }) as unknown as Record<'data' | 'stringData', Record<string, string>>
      assert.equal(data['a'], stringData['a'])
      assert.notEqual(data['a'], data['b'])
    })

    it('gives unequal values unequal marks, also where they are no text', () => {
      fc.assert(
        fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
          const { data } = redact(SECRETS, {
            metadata: { name: 'db' },
            data: { a: Buffer.from(a).toString('base64'), b: Buffer.from(b).toString('base64') },
          }) as unknown as { data: Record<string, string> }
          assert.equal(data['a'] === data['b'], Buffer.from(a).equals(Buffer.from(b)))
        }),
      )
    })

    it('tells nobody whether two objects hold the same value', () => {
      const of = (namespace: string): unknown =>
        redact(SECRETS, { metadata: { name: 'db', namespace }, data: { a: base64('x') } })['data']
      assert.notDeepEqual(of('shop'), of('pay'))
    })

    it('keeps only such annotations as say nothing of the values', () => {
      const { metadata } = redact(SECRETS, {
        metadata: {
          name: 'db',
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration': '{"data":{}}',
            'reconcile.external-secrets.io/data-hash': 'd41d8cd98f00b204',
            note: 'the old one was hunter2',
            'argocd.argoproj.io/tracking-id': 'shop:/Secret:shop/db',
          },
        },
      })
      const { 'argocd.argoproj.io/tracking-id': kept, ...others } = metadata?.annotations ?? {}
      assert.equal(kept, 'shop:/Secret:shop/db')
      for (const value of Object.values(others)) assert.match(value, MARK)
    })

    it('also takes them where a Secret is within another object', () => {
      const manifest = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'x' },
        data: { a: base64('correct horse') },
      }
      const redacted = redact(
        { group: 'example.com', resource: 'bundles' },
        { spec: { manifests: [manifest] } },
      )
      assert.doesNotMatch(JSON.stringify(redacted), new RegExp(base64('correct horse')))
    })
  })

  it('takes the last applied configuration of every kind', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{}}', other: 'kept' }
    const redacted = redact(DEPLOYMENTS, { metadata: { name: 'web', annotations } })
    assert.match(
      redacted.metadata?.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '',
      MARK,
    )
    assert.equal(redacted.metadata?.annotations?.['other'], 'kept')
  })

  describe('of a file takes only the credential of a line', () => {
    const files: readonly (readonly [what: string, before: string, after: string])[] = [
      [
        'YAML',
        'port: 80\ndb:\n  password: a b # c\n  user: web',
        'port: 80\ndb:\n  password: ***\n  user: web',
      ],
      [
        'YAML in quotes',
        `a:\n- token: "x\\"y" # why\n- pwd: 'it''s'`,
        `a:\n- token: "***" # why\n- pwd: '***'`,
      ],
      [
        'YAML block',
        'key:\n  secret: |-\n    one\n\n    two\n  next: 1',
        'key:\n  secret: |-\n    ***\n  next: 1',
      ],
      ['YAML list', 'tokens:\n  - a1\n  - "b2"\nnext: 1', 'tokens:\n  - ***\n  - "***"\nnext: 1'],
      ['YAML in braces', 'db: {password: x1, port: 80}', 'db: {password: ***, port: 80}'],
      [
        'YAML of variables',
        'env:\n- name: DB_PASSWORD\n  value: x y\n- name: PORT\n  value: "80"',
        'env:\n- name: DB_PASSWORD\n  value: ***\n- name: PORT\n  value: "80"',
      ],
      [
        'JSON',
        '{"apiKey":"a\\"b","n":1,"pin":{"token": 123}}',
        '{"apiKey":"***","n":1,"pin":{"token": ***}}',
      ],
      [
        'JSON in JSON',
        '{"s":"{\\"password\\":\\"x\\",\\"a\\":1}"}',
        '{"s":"{\\"password\\":\\"***\\",\\"a\\":1}"}',
      ],
      [
        'properties',
        'spring.datasource.password=a b=c;d\nport=80',
        'spring.datasource.password=***\nport=80',
      ],
      ['properties that go on', 'db.password=one\\\n  two\nport=80', 'db.password=***\nport=80'],
      [
        'a shell script',
        'export API_TOKEN=x1 # mine\nrun --password "a b" -v',
        'export API_TOKEN=***\nrun --password "***" -v',
      ],
      ['XML', '<db><password>x&amp;y</password></db>', '<db><password>***</password></db>'],
      ['XML settings', '<add key="Password" value="x y"/>', '<add key="Password" value="***"/>'],
      ['a connection string', 'a=Server=db;Password=x1;Port=1', 'a=Server=db;Password=***;Port=1'],
      ['a query', 'GET /x?token=abc&page=2 HTTP/1.1', 'GET /x?token=***&page=2 HTTP/1.1'],
      ['a URL', 'url: postgres://web:p%40ss@db:5432/shop?x=1', 'url: postgres://web:***@db:5432/shop?x=1'],
      ['several URLs', 'amqp://a:b@c/,amqp://d:e@f/', 'amqp://a:***@c/,amqp://d:***@f/'],
      ['the form of drivers', 'root:x1@tcp(db:3306)/shop', 'root:***@tcp(db:3306)/shop'],
      ['netrc', 'machine h login me password x1', 'machine h login me password ***'],
      ['redis', 'requirepass x1\nport 1', 'requirepass ***\nport 1'],
      ['a header', 'curl -H "Authorization: Bearer abcdef123"', 'curl -H "Authorization: ***"'],
    ]
    for (const [what, before, after] of files) {
      it(`${what}: ${JSON.stringify(after)}`, () => assert.equal(redactedFile(before), after))
    }

    it('a private key: its lines, with what begins and ends it', () => {
      const key = (label: string): string => `-----BEGIN ${label}-----\n`
      const text = `a\n${key('RSA PRIVATE KEY')}MIIB\nabcd==\n-----END RSA PRIVATE KEY-----\nb`
      assert.equal(redactedFile(text), `a\n${key('RSA PRIVATE KEY')}***\n-----END RSA PRIVATE KEY-----\nb`)
      const certificate = `${key('CERTIFICATE')}${base64('x'.repeat(300))}\n-----END CERTIFICATE-----`
      assert.equal(redactedFile(certificate), certificate)
    })
  })

  describe('leaves what is public', () => {
    const digest = createHash('sha256').update('layer').digest('hex')
    const ca = base64(`-----BEGIN CERTIFICATE-----\n${base64(digest.repeat(4))}\n-----END CERTIFICATE-----\n`)
    const pod = {
      metadata: { name: 'web', labels: { token: 'x', 'app.kubernetes.io/name': 'secret-store' } },
      spec: {
        serviceAccountName: 'web',
        automountServiceAccountToken: true,
        imagePullSecrets: [{ name: 'pull-secret' }],
        containers: [
          {
            name: 'app',
            image: `registry.example.com/secret-manager@sha256:${digest}`,
            args: [
              '--token-auth-file=/etc/tokens',
              '--password-file',
              '/etc/pw',
              '--secret-name=db',
              '--v=2',
            ],
            env: [
              { name: 'TOKEN_PATH', value: '/var/run/secrets/token' },
              { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
              { name: 'DB_PASSWORD_FILE', value: '/run/secrets/db' },
              { name: 'DB_URL', value: 'postgres://web:$(DB_PASSWORD)@db/shop' },
              { name: 'PASSWORD', value: '$(OTHER)' },
              { name: 'MAX_TOKENS', value: '4096' },
              { name: 'REGISTRY', value: 'https://registry.example.com:5000/@scope/package' },
            ],
          },
          { name: 'init', image: 'ghcr.io/example/token:1.2' },
        ],
        volumes: [
          { name: 'a', secret: { secretName: 'db', items: [{ key: 'password', path: 'pw' }] } },
          {
            name: 'b',
            projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] },
          },
        ],
      },
    }
    const objects: readonly (readonly [
      what: string,
      group: string,
      resource: string,
      object: KubernetesObject,
    ])[] = [
      ['of pods', '', 'pods', pod],
      [
        'of roles',
        'rbac.authorization.k8s.io',
        'roles',
        { rules: [{ resources: ['secrets', 'tokens'], verbs: ['get'] }] },
      ],
      ['of service accounts', '', 'serviceaccounts', { secrets: [{ name: 'web-token' }] }],
      [
        'of webhooks',
        'example.com',
        'x',
        { clientConfig: { caBundle: ca, url: 'https://a.example.com/token' } },
      ],
      [
        'of ingresses',
        'networking.k8s.io',
        'ingresses',
        {
          metadata: { annotations: { 'nginx.ingress.kubernetes.io/auth-secret': 'shop/basic-auth' } },
          spec: { tls: [{ hosts: ['a.example.com'], secretName: 'web-tls' }] },
        },
      ],
      [
        'of schemas',
        'apiextensions.k8s.io',
        'customresourcedefinitions',
        { spec: { properties: { password: { type: 'string', description: 'The password: of the user.' } } } },
      ],
      [
        'of certificates',
        'cert-manager.io',
        'certificates',
        { spec: { secretName: 'web-tls', privateKey: { algorithm: 'ECDSA' }, issuerRef: { name: 'ca' } } },
      ],
      [
        'of logs',
        '',
        'configmaps',
        configMap({ level: 'info', sha: digest, note: 'Basic authentication is on' }),
      ],
    ]
    for (const [what, group, resource, object] of objects) {
      it(what, () => {
        const redacted = redact({ group, resource }, frozen(object))
        assert.deepEqual(redacted, object)
        assert.equal(redacted, object, 'what is innocent is not copied')
      })
    }
  })

  it('leaves the managed fields of the object itself alone, and nothing else of that name', () => {
    const managedFields = [{ manager: 'kubectl', fieldsType: 'FieldsV1', fieldsV1: { 'f:password': {} } }]
    const planted = { metadata: { managedFields: { password: 'correct-horse-1' } } }
    const given = {
      metadata: { name: 'web', annotations: { token: 'correct-horse-2' }, managedFields },
      spec: { managedFields: [{ password: 'correct-horse-3' }], template: planted },
    }
    const { metadata, spec } = redact({ group: 'example.org', resource: 'things' }, given)
    assert.deepEqual(metadata?.managedFields, managedFields)
    for (const text of textsIn([metadata, spec])) assert.doesNotMatch(text, /correct-horse/)
  })

  it('takes the values at the paths of the configuration', () => {
    const configured = createRedactor({
      hmac,
      paths: [
        'bundles.example.com:spec.users[name=web].pin',
        'bundles.example.com:spec.notes[*]',
        'bundles.example.com:spec.maps.*.x',
        'bundles.example.com:metadata.annotations["a.b/c"]',
      ],
    })
    const object = {
      metadata: { annotations: { 'a.b/c': '1', 'a.b/d': '2' } },
      spec: {
        users: [
          { name: 'web', pin: 1234 },
          { name: 'db', pin: 5678 },
        ],
        notes: ['a', { b: 1 }],
        maps: { one: { x: 'x', y: 'y' }, two: { y: 'y' } },
      },
    }
    const redacted = configured({ group: 'example.com', resource: 'bundles' }, frozen(object))
    const text = JSON.stringify(redacted).replaceAll(/redacted:[0-9a-f]{16}/g, '***')
    assert.deepEqual(JSON.parse(text), {
      metadata: { annotations: { 'a.b/c': '***', 'a.b/d': '2' } },
      spec: {
        users: [
          { name: 'web', pin: '***' },
          { name: 'db', pin: 5678 },
        ],
        notes: ['***', '***'],
        maps: { one: { x: '***', y: 'y' }, two: { y: 'y' } },
      },
    })
    assert.equal(configured(DEPLOYMENTS, object), object)
    for (const path of [
      '',
      'bundles.example.com',
      ':spec',
      'bundles.example.com:',
      'bundles.example.com:spec[',
    ]) {
      assert.throws(() => createRedactor({ hmac, paths: [path] }), RangeError)
    }
  })

  it('knows its marks', () => {
    const mark = `${REDACTED}0123456789abcdef`
    assert.equal(isRedacted(mark), true)
    for (const value of [`${mark}0`, ` ${mark}`, REDACTED, 1, undefined])
      assert.equal(isRedacted(value), false)
  })

  const anywhere = fc
    .constantFrom(...PLACES)
    .chain((place) => fc.tuple(fc.constant(place), fc.array(secretOf(place), { minLength: 1, maxLength: 3 })))

  it('leaves nothing of a credential, of its base64 or of its hash, wherever it is', () => {
    fc.assert(
      fc.property(anywhere, ([place, secrets]) => {
        const { resource, object } = place.plant(secrets)
        const redacted = redact(resource, frozen(object))
        // What a mark is made of may hold six digits of anything.
        const texts = [...textsIn(redacted)].map((text) => text.replaceAll(/redacted:[0-9a-f]{16}/g, '***'))
        for (const secret of secrets) {
          for (const trace of tracesOf(secret)) {
            for (let at = 0; at + 6 <= trace.length; at++) {
              const piece = trace.slice(at, at + 6)
              const found = texts.find((text) => text.includes(piece) && !place.around.includes(piece))
              assert.equal(found, undefined, `${place.name}: ${piece} of ${secret}`)
            }
          }
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('finds nothing a second time, and the same in another process', () => {
    const again = createRedactor({ hmac, paths: [] })
    fc.assert(
      fc.property(anywhere, ([place, secrets]) => {
        const { resource, object } = place.plant(secrets)
        const once = redact(resource, object)
        assert.deepEqual(redact(resource, once), once, place.name)
        assert.deepEqual(again(resource, structuredClone(object)), once)
      }),
      { numRuns: 1000 },
    )
  })

  it('finds nothing a second time in texts of any form', () => {
    const pieces = fc.constantFrom(
      'password',
      'token',
      'name',
      'value',
      'db.secret',
      '--api-key',
      'redacted:0123456789abcdef',
      'x1',
      'Bearer',
      ':',
      '=',
      ' ',
      '\n',
      '  ',
      '- ',
      '"',
      "'",
      '\\',
      '\\"',
      ',',
      ';',
      '{',
      '}',
      '[',
      ']',
      '|',
      '://',
      '@',
      '#',
      '<',
      '>',
      '/',
      '-----BEGIN PRIVATE KEY-----',
      '-----END PRIVATE KEY-----',
      '$(A)',
      'kind: Secret',
      'data:',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const object = configMap({ file: parts.join('') })
        const once = redact(CONFIGMAPS, object)
        assert.deepEqual(redact(CONFIGMAPS, once), once)
      }),
      { numRuns: 5000 },
    )
  })

  it('comes to an end with texts that are made to keep it busy', () => {
    const units = [
      'a',
      'A1',
      'key=',
      'token:',
      'token: ',
      '"token":"',
      'token=\\"',
      "password='",
      'password ',
      'tokens:\n- a: 1\n',
      'password:\n',
      '- token:\n',
      'eyJ-',
      '-eyJhbGciOi',
      'ghp_',
      '://a:',
      'a:b@tcp(',
      'a:',
      '@',
      '-----BEGIN PRIVATE KEY-----',
      '{password: a, ',
      'kind: ',
      '\\',
      '"',
      ' ',
      '<password>',
      'name: password\n',
      'bearer ',
      'password=\\\n',
      'password=""',
      '"token: a ',
      'Zz9+',
    ]
    for (const unit of units) {
      const file = unit.repeat(Math.ceil(500_000 / unit.length))
      redact(CONFIGMAPS, configMap({ file }))
    }
  }).timeout(60_000)
})

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const PUNCTUATION: Readonly<Record<Place['alphabet'], string>> = {
  letters: '',
  word: '_.+!%~^*',
  any: ' _.+!%~^*/@#$&()=?;:,<>|{}[]-"\'\\`',
}

/** A made-up secret; its first letters say so to whoever finds one. */
function secretOf({ alphabet }: Place): fc.Arbitrary<string> {
  const character = fc.constantFrom(...LETTERS, ...PUNCTUATION[alphabet])
  return fc
    .tuple(
      fc.constantFrom(...LETTERS),
      fc.array(character, { minLength: 20, maxLength: 40 }),
      fc.constantFrom(...'0123456789'),
    )
    .map(([first, middle, last]) => first + middle.join('') + last)
}

function tracesOf(secret: string): readonly string[] {
  const hash = createHash('sha256').update(secret)
  return [secret, base64(secret), hash.copy().digest('hex'), hash.digest('base64')]
}
