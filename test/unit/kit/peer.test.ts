import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import type { Caller } from '../../../server/kit/api/caller.ts'
import type { ListQuery, WatchNotice, WatchQuery } from '../../../server/kit/api/resource.ts'
import { createPeerClient } from '../../../server/kit/peer/peer-client.ts'
import { createPeerReader } from '../../../server/kit/peer/peer-reader.ts'
import type { KeyPair } from '../../../server/kit/tls/tls-source.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { FixedIdentity, PeerAuthority, type PeerWorld, startPeerWorld } from './peer-world.ts'

const JANE: Caller = { username: 'jane', uid: '', groups: ['dev'], extra: {} }
const NOTHING = { namespace: undefined, namespaceUid: undefined, fields: [], sinceTime: undefined }
const LIST: ListQuery = { ...NOTHING, limit: 0, continue: '' }
const WATCH: WatchQuery = { ...NOTHING, resourceVersion: undefined }

describe('readers between pods', function () {
  this.timeout(30_000)
  let world: PeerWorld
  const never = new AbortController().signal

  beforeEach(async () => {
    world = await startPeerWorld()
  })

  afterEach(() => world.stop())

  const reader = (client = world.client) => createPeerReader(client, 'widgets')
  const trusted = (): string => world.authority.pair.certificate
  const list = (client = world.client) => reader(client).list(LIST, JANE, never)
  const follow = (client = world.client, query = WATCH, caller = JANE) => {
    const notices = reader(client).watch(query, caller, never)
    return notices[Symbol.asyncIterator]()
  }
  const as = (pair: KeyPair) => list(world.connect(new FixedIdentity(pair, trusted())))

  describe('who is answered', () => {
    const refused = { reason: 'Unauthorized' }

    it('a pod whose leaf names the account, and none of another account', async () => {
      assert.equal((await as(await world.authority.leaf('deckwatch-api'))).items.length, 0)
      await assert.rejects(as(await world.authority.leaf('deckwatch')), refused)
    })

    it('no account of that name in another namespace', async () => {
      const uri = 'deckwatch://elsewhere/deckwatch-api'
      await assert.rejects(as(await world.authority.leaf('deckwatch-api', { uri })), refused)
    })

    it('nobody whose leaf has ended', async () => {
      await assert.rejects(as(await world.authority.leaf('deckwatch-api', { lifeMs: -1000 })), refused)
    })

    it('nobody of another authority, whatever the leaf says', async () => {
      const other = await PeerAuthority.create()
      await assert.rejects(as(await other.leaf('deckwatch-api')), refused)
    })

    it('nobody without a certificate', async () => {
      const answer = await raw(world, { path: '/peer/v1/widgets/list', body: '{}' })
      assert.equal(answer.status, 401)
    })

    it('and the log tells of many refused ones in one line', async () => {
      for (let turn = 0; turn < 5; turn += 1) await raw(world, { path: '/', body: '{}' })
      const told = world.log.lines.filter(({ message }) => message === 'refused a peer')
      assert.deepEqual(
        told.map(({ fields }) => fields['times']),
        [1],
      )
    })

    it('nobody as long as there is no authority', async () => {
      world.server.trusted = ''
      await assert.rejects(as(await world.authority.leaf('deckwatch-api')), refused)
    })
  })

  it('nobody is asked whose leaf names another account', async () => {
    world.server.tls.replace(await world.authority.leaf('deckwatch-reconciler'))
    await assert.rejects(list(), (error: ApiError) => {
      assert.equal(error.reason, 'ServiceUnavailable')
      assert.match((error.cause as Error).message, /names URI:deckwatch:\/\/deckwatch\/deckwatch-recon/)
      return true
    })
  })

  it('routes on the raw path', async () => {
    const pair = await world.authority.leaf('deckwatch-api')
    const statusOf = async (path: string, method = 'POST', body = '{}'): Promise<number> =>
      (await raw(world, { path, method, body, pair })).status
    assert.equal(await statusOf('/peer/v1/widgets/../widgets/list'), 404)
    assert.equal(await statusOf('/peer/v1/widgets/li%73t'), 404)
    assert.equal(await statusOf('/peer/v1/widgets/list?x'), 404)
    assert.equal(await statusOf('/peer/v1/%ff/list'), 404)
    assert.equal(await statusOf('/peer/v1/gadgets/list'), 404)
    const got = await raw(world, { path: '/peer/v1/widgets/list', method: 'GET', body: '', pair })
    assert.deepEqual([got.status, got.allow], [405, 'POST'])
    assert.equal(await statusOf('/peer/v1/widgets/list', 'POST', 'no JSON'), 400)
    assert.equal(await statusOf('/peer/v1/widgets/list', 'POST', '{"query":{}}'), 400)
    assert.equal(await statusOf('/peer/v1/widgets/list', 'POST', 'x'.repeat(1024 * 1024 + 1)), 413)
  })

  describe('what the caller may see', () => {
    const scoped = { ...LIST, namespace: 'shop' }

    it('is asked again where the data is, with all that is known of the caller', async () => {
      const caller: Caller = {
        username: 'jäne',
        uid: 'u-1',
        groups: ['a, b', ...Array.from({ length: 3000 }, (_, index) => `group-${index}`)],
        extra: { 'example.org/scopes': ['one', 'two'] },
      }
      await reader().list(scoped, caller, never)
      await reader().get({ namespace: 'shop', namespaceUid: undefined, name: 'a' }, caller, never)
      const named = { field: 'metadata.name', operator: '=', value: 'b' } as const
      await follow(world.client, { ...WATCH, fields: [named] }, caller).next()
      assert.deepEqual(
        world.authorizer.asked.map(({ verb, namespace, name }) => [verb, namespace, name]),
        [
          ['list', 'shop', undefined],
          ['get', 'shop', 'a'],
          ['watch', undefined, 'b'],
        ],
      )
      for (const request of world.authorizer.asked) {
        assert.deepEqual(request.caller, caller)
        assert.equal(request.resource.plural, 'widgets')
      }
    })

    it('is nothing where the answer is no', async () => {
      world.authorizer.scope = () => {
        throw new ApiError('Forbidden', 'jane cannot list widgets')
      }
      await assert.rejects(list(), { reason: 'Forbidden', message: 'jane cannot list widgets' })
      const watch = follow()
      await assert.rejects(watch.next(), { reason: 'Forbidden' })
    })

    it('is the narrower of what both pods found', async () => {
      world.widgets.put({ name: 'old', namespace: 'shop', namespaceUid: 'first' })
      world.widgets.put({ name: 'new', namespace: 'shop', namespaceUid: 'second' })
      const names = async (namespaceUid: string | undefined): Promise<string[]> => {
        const page = await reader().list({ ...scoped, namespaceUid }, JANE, never)
        return page.items.map(({ metadata }) => metadata.name)
      }
      assert.deepEqual(await names(undefined), ['new', 'old'])
      assert.deepEqual(await names('second'), ['new'])
      world.authorizer.scope = ({ namespace }) => ({ namespace, namespaceUid: 'second' })
      assert.deepEqual(await names(undefined), ['new'])
      await assert.rejects(names('first'), { reason: 'ServiceUnavailable' })
    })

    it('ends an open watch when the right is withdrawn', async () => {
      const watch = follow()
      await watch.next()
      for (const end of world.authorizer.guards) end(new ApiError('Forbidden', 'no longer'))
      await assert.rejects(untilEnd(watch), { reason: 'Forbidden', message: 'no longer' })
      assert.equal(world.authorizer.guards.size, 0)
    })
  })

  describe('a pod that is away', () => {
    const away = { reason: 'ServiceUnavailable', retryAfterSeconds: 2 }

    it('ends its watches as whole ones when it stops, and is there again when another takes its place', async () => {
      const watch = follow()
      await watch.next()
      await list()
      const ended = untilEnd(watch)
      await world.stopServer()
      await ended
      await assert.rejects(list(), away)

      const { port, asker } = world
      const next = await startPeerWorld({ port })
      try {
        next.server.trusted = trusted()
        next.server.tls.replace(await world.authority.leaf('deckwatch'))
        assert.equal((await list(world.connect(asker))).items.length, 0)
        assert.equal((await list()).items.length, 0)
      } finally {
        await next.stop()
      }
    })

    it('is told so while there is no certificate to ask with', async () => {
      world.asker.trusted = ''
      await assert.rejects(list(), away)
    })

    it('is to be asked again only as long as a takeover lasts', async () => {
      let passed = 0
      const clock = { now: () => Date.now() + passed }
      const { port, asker: identity } = world
      const client = createPeerClient({
        host: '127.0.0.1',
        port,
        identity,
        clock,
        namespace: 'deckwatch',
        accounts: ['deckwatch'],
      })
      await list(client)
      await world.stopServer()
      await assert.rejects(list(client), away)
      passed = 25_000
      await assert.rejects(list(client), { ...away, retryAfterSeconds: undefined })
      const next = await startPeerWorld({ port })
      try {
        next.server.trusted = trusted()
        next.server.tls.replace(await world.authority.leaf('deckwatch'))
        await list(client)
      } finally {
        await next.stop()
      }
      await assert.rejects(list(client), away)
      client.close()
    })

    it('is not waited for long: neither when connecting, nor for an answer, nor in a watch', async () => {
      const sockets: Socket[] = []
      const silent: Server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const client = createPeerClient({
        host: '127.0.0.1',
        port: (silent.address() as AddressInfo).port,
        identity: world.asker,
        namespace: 'deckwatch',
        accounts: ['deckwatch'],
        clock: systemClock,
        times: { connectMs: 50 },
      })
      await assert.rejects(list(client), away)
      for (const socket of sockets) socket.destroy()
      silent.close()

      const held = Promise.withResolvers<never>()
      held.promise.catch(() => undefined)
      const listed = world.widgets.list.bind(world.widgets)
      world.widgets.list = () => held.promise
      await assert.rejects(list(world.connect(world.asker, { answerMs: 50 })), away)
      world.widgets.list = listed
      held.reject(new Error('the test is over'))

      const watch = follow(world.connect(world.asker, { silenceMs: 50 }))
      await watch.next()
      await untilEnd(watch)
    })

    it('is not silent while it only has nothing to say', async () => {
      const lively = await startPeerWorld({ times: { heartbeatMs: 20 } })
      try {
        const watch = follow(lively.connect(lively.asker, { silenceMs: 400 }))
        await watch.next()
        await watch.next()
        const next = watch.next()
        await new Promise((resolve) => {
          setTimeout(resolve, 900)
        })
        lively.widgets.put({ name: 'late', namespace: 'shop' })
        const { value } = await next
        assert.equal((value as WatchNotice).type, 'ADDED')
      } finally {
        await lively.stop()
      }
    })

    it('was cut off: the watch ends, to be asked anew', async () => {
      const sockets: Socket[] = []
      const between = createServer((socket) => {
        const onward = connectTcp(world.port, '127.0.0.1')
        sockets.push(socket, onward)
        for (const side of [socket, onward]) side.on('error', () => undefined)
        socket.pipe(onward).pipe(socket)
      }).listen(0, '127.0.0.1')
      await once(between, 'listening')
      try {
        const client = world.connect(world.asker, {}, (between.address() as AddressInfo).port)
        const watch = follow(client)
        await watch.next()
        const ended = untilEnd(watch)
        for (const socket of sockets) socket.destroy()
        await ended
      } finally {
        between.close()
      }
    })
  })

  it('goes on over new leaves and a new authority on both sides', async () => {
    const watch = follow()
    await watch.next()
    world.asker.tls.replace(await world.authority.leaf('deckwatch-api'))
    world.server.tls.replace(await world.authority.leaf('deckwatch'))
    assert.equal((await list()).items.length, 0)
    // First everyone believes both, then the leaves change.
    const next = await PeerAuthority.create()
    for (const identity of [world.asker, world.server]) identity.trusted = next.pair.certificate + trusted()
    world.asker.tls.replace(await next.leaf('deckwatch-api'))
    world.server.tls.replace(await next.leaf('deckwatch'))
    assert.equal((await list()).items.length, 0)
    world.widgets.put({ name: 'a', namespace: 'shop' })
    for (;;) {
      const { value, done } = await watch.next()
      assert.ok(!done)
      if (value.type === 'ADDED') break
    }
  })

  it('a peer that reads too slowly is cut off, and the reader waits for it meanwhile', async () => {
    const slow = await startPeerWorld({ times: { stallMs: 200 } })
    try {
      let told = 0
      const object = slow.widgets.put({ name: 'x'.repeat(100_000), namespace: 'shop' })
      // oxlint-disable-next-line typescript/require-await -- a reader without end
      slow.widgets.watch = async function* endless() {
        for (;;) {
          told += 1
          yield { type: 'ADDED', object }
        }
      }
      const pair = await slow.authority.leaf('deckwatch-api')
      const body = JSON.stringify({ query: WATCH, caller: JANE })
      const { response, agent } = await open(slow, { path: '/peer/v1/widgets/watch', body, pair })
      response.pause()
      while (slow.authorizer.guards.size > 0) {
        await new Promise((resolve) => {
          setTimeout(resolve, 10)
        })
      }
      // What the sockets' buffers take, and a megabyte of ours.
      assert.ok(told < 500, `${told} notices of 100 kB were taken`)
      agent.destroy()
    } finally {
      await slow.stop()
    }
  })
})

async function untilEnd(watch: AsyncIterator<WatchNotice>): Promise<void> {
  for (;;) if ((await watch.next()).done) return
}

interface RawRequest {
  readonly path: string
  readonly method?: string
  readonly body: string
  readonly pair?: KeyPair
}

async function open(world: PeerWorld, { path, method = 'POST', body, pair }: RawRequest) {
  const agent = new Agent({
    ca: world.authority.pair.certificate,
    checkServerIdentity: () => undefined,
    ...(pair ? { cert: pair.certificate, key: pair.key } : {}),
  })
  const request = httpsRequest({ host: '127.0.0.1', port: world.port, method, path, agent })
  request.on('error', () => undefined)
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  return { response, agent }
}

async function raw(
  world: PeerWorld,
  wanted: RawRequest,
): Promise<{ status: number; allow: string | undefined }> {
  const { response, agent } = await open(world, wanted)
  response.resume()
  await once(response, 'close')
  agent.destroy()
  return { status: response.statusCode ?? 0, allow: response.headers.allow }
}
