import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { AccessRequest } from '../../../server/kit/api/access-request.ts'
import { NO_NAMESPACE_UID } from '../../../server/kit/api/access-reviews.ts'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { type Authorizer, createAuthorizer } from '../../../server/kit/api/authorize.ts'
import { createMetricsRegistry } from '../../../server/kit/metrics.ts'
import { MemoryResource } from '../../kit/aggregated/memory-resource.ts'
import { SmallCluster } from '../../kit/aggregated/small-cluster.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const { resource } = new MemoryResource()
const { resource: clusterResource } = new MemoryResource({ namespaced: false })

describe('what a caller of the API may see', () => {
  let cluster: SmallCluster
  let clock: ManualClock
  let authorizer: Authorizer
  const stopping: AbortController[] = []

  beforeEach(() => {
    cluster = new SmallCluster(undefined)
    cluster.namespaces.set('shop', 'uid-1')
    clock = new ManualClock()
    authorizer = createAuthorizer({ transport: cluster, clock, metrics: createMetricsRegistry() })
  })
  afterEach(() => {
    for (const controller of stopping.splice(0)) controller.abort()
  })

  const request = (changes: Partial<AccessRequest> = {}): AccessRequest => ({
    caller: { username: 'jane', uid: '', groups: ['dev'], extra: {} },
    verb: 'list',
    resource,
    namespace: 'shop',
    name: undefined,
    ...changes,
  })

  /** Only rights in this namespace. */
  const onlyIn = (namespace: string): void => {
    cluster.allows = (access) => access.namespace === namespace
  }

  const refusal = (status: number, message: RegExp) => (error: unknown) =>
    error instanceof ApiError && error.status === status && message.test(error.message)

  it('is everything of the name for who may the same in the whole cluster', async () => {
    assert.deepEqual(await authorizer.authorize(request()), { namespace: 'shop', namespaceUid: undefined })
    assert.deepEqual(
      cluster.reviews.map(({ verb, group, resource: plural, namespace }) => [verb, group, plural, namespace]),
      [
        ['list', 'deckwatch.dev', 'widgets', undefined],
        ['list', '', 'pods', undefined],
      ],
    )
  })

  it('is what belongs to the namespace that has the name now for everybody else', async () => {
    onlyIn('shop')
    assert.deepEqual(await authorizer.authorize(request()), { namespace: 'shop', namespaceUid: 'uid-1' })
    // No answer of before may speak for the next owner of the name.
    cluster.namespaces.set('shop', 'uid-2')
    assert.deepEqual(await authorizer.authorize(request()), { namespace: 'shop', namespaceUid: 'uid-2' })
    cluster.namespaces.delete('shop')
    assert.deepEqual(await authorizer.authorize(request()), {
      namespace: 'shop',
      namespaceUid: NO_NAMESPACE_UID,
    })
  })

  it('is nothing of other namespaces, of all, or of the cluster', async () => {
    onlyIn('shop')
    await assert.rejects(
      authorizer.authorize(request({ namespace: 'other' })),
      refusal(
        403,
        /^widgets\.deckwatch\.dev is forbidden: User "jane" cannot list resource "widgets" in API group "deckwatch\.dev" in the namespace "other"$/,
      ),
    )
    await assert.rejects(
      authorizer.authorize(request({ namespace: undefined })),
      refusal(403, /at the cluster scope$/),
    )
    await assert.rejects(
      authorizer.authorize(request({ namespace: undefined, resource: clusterResource })),
      refusal(403, /"clusterwidgets" .* at the cluster scope$/),
    )
  })

  it('needs both rights: on the resource and on what stands behind it', async () => {
    cluster.allows = ({ resource: plural }) => plural === 'widgets'
    await assert.rejects(
      authorizer.authorize(request({ verb: 'watch' })),
      refusal(403, /User "jane" cannot watch resource "pods" in API group "" in the namespace "shop"$/),
    )
    cluster.allows = ({ resource: plural }) => plural === 'pods'
    await assert.rejects(
      authorizer.authorize(request({ namespace: 'b' })),
      refusal(403, /resource "widgets"/),
    )
  })

  it('may be just one name, as RBAC’s resourceNames', async () => {
    cluster.allows = ({ resource: plural, name }) => plural === 'pods' || name === 'a'
    await authorizer.authorize(request({ verb: 'get', name: 'a' }))
    await assert.rejects(
      authorizer.authorize(request({ verb: 'get', name: 'b' })),
      refusal(403, / "b" is forbidden/),
    )
    await assert.rejects(authorizer.authorize(request()), refusal(403, /./))
    // The right behind is that to list: one object is made from many pods.
    assert.ok(cluster.reviews.every(({ verb, resource: plural }) => plural !== 'pods' || verb === 'list'))
  })

  it('is everything for system:masters, whatever the API server answers', async () => {
    cluster.outage = 500
    const caller = { username: 'root', uid: '', groups: ['system:masters'], extra: {} }
    assert.deepEqual(await authorizer.authorize(request({ caller })), {
      namespace: 'shop',
      namespaceUid: undefined,
    })
    assert.equal(cluster.reviews.length, 0)
  })

  it('is nothing while the API server does not say, and that is not remembered', async () => {
    cluster.outage = 500
    await assert.rejects(authorizer.authorize(request()), refusal(503, /did not say/))
    cluster.outage = undefined
    await authorizer.authorize(request())
  })

  it('is remembered for ten seconds for the same caller, and for nobody else', async () => {
    await authorizer.authorize(request())
    await clock.advance(9000)
    await authorizer.authorize(request())
    assert.equal(cluster.reviews.length, 2)
    for (const caller of [
      { username: 'jane', uid: '', groups: [], extra: {} },
      { username: 'jane', uid: 'u', groups: ['dev'], extra: {} },
      { username: 'jane', uid: '', groups: ['dev'], extra: { scopes: ['none'] } },
      { username: 'joe', uid: '', groups: ['dev'], extra: {} },
    ]) {
      const before: number = cluster.reviews.length
      await authorizer.authorize(request({ caller }))
      assert.equal(cluster.reviews.length, before + 2)
    }
    const before = cluster.reviews.length
    await clock.advance(1000)
    cluster.allows = () => false
    await assert.rejects(authorizer.authorize(request()), refusal(403, /./))
    assert.equal(cluster.reviews.length, before + 4)
  })

  it('is remembered in little memory, however long the names are that somebody asks for', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const inUse = (): number => {
      collect()
      return process.memoryUsage().heapUsed
    }
    const before = inUse()
    for (let index = 0; index < 1000; index += 1) {
      await authorizer.authorize(request({ name: `${index}${'x'.repeat(50_000)}` }))
      cluster.reviews.length = 0
    }
    const grown = (inUse() - before) / 1e6
    assert.ok(grown < 20, `${grown} MB for names of 50 MB`)
  })

  it('is asked once for many that ask at the same time', async () => {
    await Promise.all(Array.from({ length: 50 }, () => authorizer.authorize(request())))
    assert.equal(cluster.reviews.length, 2)
  })

  describe('while a stream is open', () => {
    /** Guards a stream, and gives why it was ended. */
    async function guarded(
      changes: Partial<AccessRequest> = {},
    ): Promise<{ reasons: ApiError[]; leave: () => void }> {
      const access = request({ verb: 'watch', ...changes })
      const reasons: ApiError[] = []
      const scope = await authorizer.authorize(access)
      const leave = authorizer.guard(access, scope, (reason) => reasons.push(reason))
      return { reasons, leave }
    }

    /** Runs the authorizer, and waits until it has looked once more. */
    async function look(): Promise<void> {
      await clock.advance(10_000)
      await clock.untilSleep((ms) => ms === 10_000)
    }

    beforeEach(async () => {
      const controller = new AbortController()
      stopping.push(controller)
      void authorizer.run(controller.signal)
      await clock.untilSleep((ms) => ms === 10_000)
    })

    it('is looked at every ten seconds, and ends with the right', async () => {
      const { reasons } = await guarded()
      await look()
      assert.deepEqual(reasons, [])
      cluster.allows = ({ resource: plural }) => plural !== 'pods'
      await look()
      assert.deepEqual(
        reasons.map(({ reason }) => reason),
        ['Forbidden'],
      )
      await look()
      assert.equal(reasons.length, 1)
    })

    it('ends when the right in the whole cluster is withdrawn, though one in the namespace stays', async () => {
      const { reasons } = await guarded()
      onlyIn('shop')
      await look()
      assert.equal(reasons[0]?.reason, 'Forbidden')
    })

    it('ends when another namespace takes the name, or none has it', async () => {
      onlyIn('shop')
      const { reasons } = await guarded()
      cluster.namespaces.set('shop', 'uid-2')
      await look()
      assert.equal(reasons[0]?.reason, 'Expired')
      const next = await guarded()
      cluster.namespaces.delete('shop')
      await look()
      assert.equal(next.reasons[0]?.reason, 'Expired')
    })

    it('ends when the API server does not say', async () => {
      const { reasons } = await guarded()
      cluster.outage = 503
      await look()
      assert.equal(reasons[0]?.reason, 'ServiceUnavailable')
    })

    it('goes on for as long as it is looked at', async () => {
      const { reasons } = await guarded()
      for (let turn = 0; turn < 20; turn += 1) await look()
      assert.deepEqual(reasons, [])
    })

    it('ends, as all others do, within half a minute of an API server that takes requests and is silent', async () => {
      const streams = await Promise.all(
        Array.from({ length: 500 }, (_, index) => {
          const caller = { username: `user-${index}`, uid: '', groups: [], extra: {} }
          return guarded({ caller })
        }),
      )
      await look()
      cluster.silent = true
      await clock.advance(20_000)
      assert.equal(streams.flatMap(({ reasons }) => reasons).length, 0)
      await clock.advance(10_000)
      for (const { reasons } of streams) {
        assert.deepEqual(
          reasons.map(({ reason }) => reason),
          ['ServiceUnavailable'],
        )
      }
    })

    it('is looked at once for all streams of the same kind, and not at all once they are closed', async () => {
      const streams = await Promise.all(Array.from({ length: 20 }, () => guarded()))
      const before = cluster.reviews.length
      await look()
      assert.equal(cluster.reviews.length, before + 2)
      for (const { leave } of streams) leave()
      await look()
      assert.equal(cluster.reviews.length, before + 2)
    })
  })
})
