import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { errorFromResponse, errorFromStatus } from '../../../src/core/kube/status-error.ts'
import type { RequestIdentity, RequestPurpose } from '../../../src/core/kube/status-error.ts'
import type { KubeResponse } from '../../../src/core/kube/transport.ts'
import type { DeckError } from '../../../src/core/lib/errors.ts'
import { makeCertificates } from './openssl-certificates.ts'
import type { Certificates } from './openssl-certificates.ts'

const identity: RequestIdentity = { contextName: 'prod', userName: 'ann', server: 'https://kube.test' }
const listPods: RequestPurpose = { verb: 'list', resource: 'pods', identity }

function response(code: number, body: unknown, headers: Record<string, string> = {}): KubeResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    status: code,
    headers,
    body: (async function* () {
      yield Buffer.from(text.slice(0, 5))
      yield Buffer.from(text.slice(5))
    })(),
  }
}

function status(code: number, reason: string, message: string, details: object = {}): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details }
}

const errorFor = (code: number, body: unknown, purpose = listPods, headers = {}): Promise<DeckError> =>
  errorFromResponse(response(code, body, headers), purpose)

describe('the error for a 403', () => {
  const cannot = (rest: string): object =>
    status(
      403,
      'Forbidden',
      `pods is forbidden: User "dev-1" cannot list resource "pods" in API group "" ${rest}`,
    )

  it('names user, verb and resource, and that one namespace may do', async () => {
    const error = await errorFor(403, cannot('at the cluster scope'))
    equal(error.code, 'KUBE_FORBIDDEN')
    equal(error.status, 403)
    equal(error.message, 'user "dev-1" may not list pods in all namespaces')
    match(error.hint ?? '', /ClusterRole with the right to list pods.*-n NAMESPACE/)
  })

  it('names the namespace', async () => {
    const error = await errorFor(403, cannot('in the namespace "shop"'), { ...listPods, namespace: 'shop' })
    equal(error.message, 'user "dev-1" may not list pods in namespace shop')
    match(error.hint ?? '', /The right to list pods in namespace shop is missing/)
    doesNotMatch(error.hint ?? '', /-n NAMESPACE/)
  })

  it('offers no namespace for what has none', async () => {
    const error = await errorFor(
      403,
      status(
        403,
        'Forbidden',
        'nodes is forbidden: User "a" cannot list resource "nodes" in API group "" at the cluster scope',
      ),
      { verb: 'list', resource: 'nodes', namespaced: false },
    )
    equal(error.message, 'user "a" may not list nodes')
    doesNotMatch(error.hint ?? '', /-n NAMESPACE/)
  })

  it('names group, subresource, object and what the authorizer adds', async () => {
    const error = await errorFor(
      403,
      status(
        403,
        'Forbidden',
        'deployments.apps "web" is forbidden: User "a" cannot get resource "deployments/scale" in API group "apps" in the namespace "shop": RBAC: role "x" not found',
      ),
      { verb: 'get', resource: 'deployments.apps/scale', name: 'web', namespace: 'shop' },
    )
    equal(
      error.message,
      'user "a" may not get deployments.apps/scale "web" in namespace shop (RBAC: role "x" not found)',
    )
  })

  it('tells a stranger to log in', async () => {
    const error = await errorFor(
      403,
      status(
        403,
        'Forbidden',
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
      ),
    )
    match(error.hint ?? '', /No credentials were sent/)
  })

  it('names whom we may not act as', async () => {
    const error = await errorFor(
      403,
      status(
        403,
        'Forbidden',
        'users "eve" is forbidden: User "a" cannot impersonate resource "users" in API group "" at the cluster scope',
      ),
    )
    equal(error.message, 'user "a" may not impersonate users "eve"')
    doesNotMatch(error.hint ?? '', /-n NAMESPACE/)
  })

  it('gives other refusals as the server wrote them', async () => {
    const error = await errorFor(403, 'RBAC: access denied by the gateway')
    match(
      error.message,
      /may not list pods in all namespaces \(context "prod", user "ann"\): RBAC: access denied/,
    )
  })
})

describe('the error for a 401', () => {
  let certificates: Certificates
  before(async function () {
    certificates = await makeCertificates(this)
  })
  after(() => certificates?.remove())

  const body = status(401, 'Unauthorized', 'Unauthorized')
  const as = (extra: Partial<RequestIdentity>): RequestPurpose => ({
    ...listPods,
    identity: { ...identity, ...extra },
  })

  it('says who we were', async () => {
    const error = await errorFor(401, body)
    equal(error.code, 'KUBE_UNAUTHORIZED')
    equal(
      error.message,
      'cannot list pods in all namespaces: the API server https://kube.test does not know us (context "prod", user "ann"): the credentials are not accepted, or none were given',
    )
  })

  it('says that the client certificate has ended, and when', async () => {
    const source = (name: string): { file: string } => ({ file: certificates.path(name) })
    const ended = await errorFor(
      401,
      body,
      as({ clientCertificate: { certificate: source('alice-ended.crt'), key: source('alice-ended.key') } }),
    )
    match(ended.message, /the client certificate ended on \d{4}-\d\d-\d\d$/)
    match(ended.hint ?? '', /new client certificate/)
    const valid = await errorFor(
      401,
      body,
      as({
        clientCertificate: { certificate: source('alice.crt'), key: source('alice.key') },
        auth: { kind: 'none' },
      }),
    )
    match(valid.hint ?? '', /authority of the client certificate/)
  })

  it('says how to log in again, by the way we logged in', async () => {
    const exec = {
      apiVersion: '',
      command: 'gke-gcloud-auth-plugin',
      args: [],
      env: [],
      installHint: '',
      provideClusterInfo: false,
      interactiveMode: 'Never',
      clusterConfig: undefined,
    } as const
    const hints = await Promise.all(
      (
        [
          { kind: 'exec', exec },
          { kind: 'token', token: 'hunter2', origin: undefined },
          { kind: 'token-file', file: '/t', token: '' },
          { kind: 'basic', username: 'u', password: 'hunter2' },
          { kind: 'auth-provider', provider: { name: 'oidc', config: {}, origin: undefined } },
          { kind: 'none' },
        ] as const
      ).map(async (auth) => (await errorFor(401, body, as({ auth }))).hint ?? ''),
    )
    const wanted = [
      /gke-gcloud-auth-plugin/,
      /set-credentials ann/,
      /\/t may have ended/,
      /know no passwords/,
      /oidc/,
      /--context or --user/,
    ]
    hints.forEach((hint, at) => match(hint, wanted[at] ?? /never/))
    ok(!hints.join().includes('hunter2'))
  })
})

describe('the error for another answer', () => {
  for (const [code, reason, message, wanted, hint] of [
    [400, 'BadRequest', 'unable to parse requirement: found x', 'KUBE_BAD_REQUEST', /--selector/],
    [400, 'BadRequest', 'limit must be positive', 'KUBE_BAD_REQUEST', undefined],
    [404, 'NotFound', 'namespaces "x" not found', 'KUBE_NOT_FOUND', undefined],
    [409, 'Conflict', 'the object has been modified', 'KUBE_CONFLICT', /again/],
    [410, 'Expired', 'The provided continue parameter is too old', 'KUBE_EXPIRED', /start again/],
    [422, 'Invalid', 'is invalid', 'KUBE_BAD_REQUEST', undefined],
    [429, 'TooManyRequests', 'too many requests', 'KUBE_THROTTLED', /later/],
    [500, 'InternalError', 'etcdserver: no leader', 'KUBE_UNAVAILABLE', /readyz/],
    [503, 'ServiceUnavailable', 'not ready', 'KUBE_UNAVAILABLE', /readyz/],
    [504, 'Timeout', 'request did not complete', 'KUBE_TIMEOUT', /readyz/],
    [406, 'NotAcceptable', 'only these media types', 'KUBE_PROTOCOL', undefined],
  ] as const) {
    it(`${code} ${reason} (${message})`, async () => {
      const error = await errorFor(code, status(code, reason, message))
      equal(error.code, wanted)
      equal(error.status, code)
      equal(
        error.message,
        `cannot list pods in all namespaces: the API server https://kube.test answered ${code}: ${message}`,
      )
      if (hint) match(error.hint ?? '', hint)
      else equal(error.hint, undefined)
    })
  }

  it('names an object and its namespace', async () => {
    const purpose = { verb: 'get', resource: 'pods', name: 'web', namespace: 'shop' }
    const error = await errorFor(404, status(404, 'NotFound', 'pods "web" not found'), purpose)
    match(error.message, /^cannot get pods "web" in namespace shop: /)
    match(error.hint ?? '', /-n NAMESPACE, or look for it with -A/)
  })

  it('says of a plain 404 that nobody serves that', async () => {
    match((await errorFor(404, '404 page not found')).hint ?? '', /does not serve this resource/)
  })

  it('tells a plain request to a TLS port to write https', async () => {
    const error = await errorFor(400, 'Client sent an HTTP request to an HTTPS server.\n')
    match(error.hint ?? '', /https:\/\//)
  })

  it('keeps how long to wait, from the header or else from the status', async () => {
    const busy = status(429, 'TooManyRequests', 'busy', { retryAfterSeconds: 3 })
    equal((await errorFor(429, busy)).retryAfterMs, 3000)
    equal((await errorFor(429, busy, listPods, { 'retry-after': '7' })).retryAfterMs, 7000)
    const soon = new Date(Date.now() + 60_000).toUTCString()
    const waits = (await errorFor(503, '', listPods, { 'retry-after': soon })).retryAfterMs ?? 0
    ok(waits > 50_000 && waits <= 60_000)
    equal((await errorFor(503, '')).retryAfterMs, undefined)
  })

  it('makes one line of the text of a page', async () => {
    const error = await errorFor(502, '<html><style>b{}</style><h1>Bad\nGateway</h1>\u001b[31m nginx</html>')
    match(error.message, /answered 502: Bad Gateway \[31m nginx$/)
  })

  it('says where a redirect leads, without its query', async () => {
    const error = await errorFor(302, '', listPods, { location: 'https://login.test/?token=hunter2' })
    equal(error.code, 'KUBE_PROTOCOL')
    match(error.message, /sends us to https:\/\/login\.test\/, so/)
    doesNotMatch(error.message, /hunter2/)
  })

  it('reads no more of an endless body than it needs', async () => {
    let chunks = 0
    const error = await errorFromResponse(
      {
        status: 500,
        headers: {},
        body: (async function* () {
          while (true) {
            chunks += 1
            yield Buffer.alloc(64 * 1024, 'x')
          }
        })(),
      },
      listPods,
    )
    ok(chunks < 10)
    ok(error.message.length < 1500)
  })

  it('stands by the status line when the body breaks off', async () => {
    const error = await errorFromResponse(
      {
        status: 503,
        headers: {},
        // oxlint-disable-next-line require-yield -- it breaks off before its first byte
        body: (async function* () {
          throw new Error('cut')
        })(),
      },
      listPods,
    )
    equal(error.code, 'KUBE_UNAVAILABLE')
    match(error.message, /did not say why/)
  })

  it('comes from the Status of a watch, too', () => {
    const gone = errorFromStatus(status(410, 'Expired', 'too old resource version: 1 (9)'), {
      ...listPods,
      verb: 'watch',
    })
    deepEqual([gone.code, gone.status], ['KUBE_EXPIRED', 410])
    match(gone.message, /^cannot watch pods/)
    equal(errorFromStatus('nonsense', listPods).code, 'KUBE_UNAVAILABLE')
  })
})
