import assert from 'node:assert/strict'
import { reviewAccess } from '../../../src/core/kube/access-review.ts'
import type { KubeRequest, KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

interface Asked {
  readonly path: string
  readonly review: { readonly kind: string; readonly spec: unknown }
}

/** An API server that answers every review the same. */
function server(status: number, answer: unknown): KubeTransport & { readonly asked: Asked[] } {
  const asked: Asked[] = []
  return {
    asked,
    async send({ path, body, method }: KubeRequest) {
      assert.equal(method, 'POST')
      asked.push({ path, review: JSON.parse(String(body)) as Asked['review'] })
      return {
        status,
        headers: {},
        body: (async function* () {
          yield Buffer.from(JSON.stringify(answer))
        })(),
      }
    },
    close: () => undefined,
  }
}

const POD_LOG = { verb: 'get', resource: 'pods', subresource: 'log', namespace: 'shop', name: 'web-1' }
const { signal } = new AbortController()

describe('an access review', () => {
  it('asks for ourselves where nobody is named', async () => {
    const api = server(201, { status: { allowed: true } })
    assert.deepEqual(await reviewAccess(api, { resourceAttributes: POD_LOG }, signal), {
      allowed: true,
      reason: '',
    })
    assert.equal(api.asked[0]?.path, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews')
    assert.equal(api.asked[0]?.review.kind, 'SelfSubjectAccessReview')
    assert.deepEqual(api.asked[0]?.review.spec, { resourceAttributes: POD_LOG })
  })

  it('asks for somebody else with all that is known of them', async () => {
    const api = server(201, { status: { allowed: false, reason: 'RBAC: no' } })
    const jane = { user: 'jane', uid: 'u1', groups: ['dev', 'a, b'], extra: { scope: ['x'] } }
    const nonResourceAttributes = { path: '/metrics', verb: 'get' }
    assert.deepEqual(await reviewAccess(api, { ...jane, nonResourceAttributes }, signal), {
      allowed: false,
      reason: 'RBAC: no',
    })
    assert.equal(api.asked[0]?.path, '/apis/authorization.k8s.io/v1/subjectaccessreviews')
    assert.deepEqual(api.asked[0]?.review.spec, { ...jane, nonResourceAttributes })
  })

  it('allows nothing that one authorizer denies, or that could not be evaluated', async () => {
    for (const [status, reason] of [
      [{ allowed: true, denied: true, reason: 'denied by a webhook' }, 'denied by a webhook'],
      [{ allowed: false, evaluationError: 'role "x" not found' }, 'role "x" not found'],
    ] as const) {
      const answer = await reviewAccess(server(201, { status }), { resourceAttributes: POD_LOG }, signal)
      assert.deepEqual(answer, { allowed: false, reason })
    }
  })

  it('fails where there is no verdict', async () => {
    for (const [status, answer, code] of [
      [201, {}, 'KUBE_PROTOCOL'],
      [201, { status: { allowed: 'yes' } }, 'KUBE_PROTOCOL'],
      [503, { kind: 'Status', message: 'down', code: 503 }, 'KUBE_UNAVAILABLE'],
    ] as const) {
      await assert.rejects(
        reviewAccess(server(status, answer), { user: 'jane', resourceAttributes: POD_LOG }, signal),
        (error) => error instanceof DeckError && error.code === code,
      )
    }
  })
})
