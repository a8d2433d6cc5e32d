import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { json } from 'node:stream/consumers'
import type { OtlpLogsRequest } from '../../server/audit-log/export/otlp-logs.ts'
import type { Change } from '../../src/core/wire/change.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { freePorts } from '../kit/kubernetes/free-ports.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const TOKEN = 'Bearer of-the-collector'
const SHOP = 'shop'

describe('the export of changes from a companion', function () {
  this.timeout(360_000)
  let world: AuditWorld
  let collector: Collector

  before(async function () {
    await requireKubernetes(this)
    const [port = 0] = await freePorts(1)
    collector = new Collector(port)
    await collector.open()
    world = await AuditWorld.start({
      companion: {
        flags: [`--audit-export=http://127.0.0.1:${port}/v1/logs`],
        env: { DECKWATCH_AUDIT_EXPORT_HEADERS: `authorization=${TOKEN}` },
      },
    })
    await world.ensureNamespace(SHOP)
  })

  after(async () => {
    await collector?.close()
    await world?.stop()
  })

  async function set(person: string, name: string, value: number): Promise<void> {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: SHOP },
      data: { value: String(value) },
    }
    await world.run(
      person,
      ['apply', '--server-side', '--force-conflicts', `--field-manager=${person}`, '-f', '-'],
      object,
    )
  }

  /** All that the companion serves has reached the collector: each in its last state, and in order. */
  async function nothingMissing(): Promise<void> {
    await world.settled()
    const served = await world.changes(SHOP)
    await world.until(
      () => (served.every((change) => collector.has(change)) ? true : undefined),
      'the collector to be told of all',
    )
    const numbers = collector.changes.map(({ metadata }) => Number(metadata?.resourceVersion))
    const firsts = numbers.filter((number, place) => numbers.indexOf(number) === place)
    assert.deepEqual(
      firsts,
      firsts.toSorted((one, other) => one - other),
    )
  }

  async function counted(metric: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${world.companion.ports.metrics}/metrics`)
    return Number(new RegExp(`^${metric} (\\d+)$`, 'm').exec(await response.text())?.[1] ?? 0)
  }

  it('tells of what two people did, once it is confirmed', async () => {
    await set('alice', 'prices', 1)
    await set('bob', 'prices', 2)
    await nothingMissing()
    const told = collector.once.filter(({ object }) => object.namespace === SHOP && object.name === 'prices')
    assert.deepEqual(
      told.map(({ state, user, operation }) => [state, user?.username, operation]),
      [
        ['confirmed', 'alice', 'CREATE'],
        ['confirmed', 'bob', 'UPDATE'],
      ],
    )
    assert.ok(collector.tokens.size === 1 && collector.tokens.has(TOKEN))
    await world.until(async () => ((await counted('deckwatch_audit_exported_total')) > 0 ? true : undefined))
  })

  it('never tells of what did not land', async () => {
    await world.run('alice', ['-n', SHOP, 'create', 'configmap', 'tried', '--dry-run=server'])
    const again = await world.kubectl('bob', ['-n', SHOP, 'create', 'configmap', 'prices'])
    assert.notEqual(again.exitCode, 0)
    await nothingMissing()
    const bobs = collector.once.filter(({ user }) => user?.username === 'bob')
    assert.deepEqual(
      bobs.map(({ operation }) => operation),
      ['UPDATE'],
    )
    assert.ok(!collector.changes.some(({ object }) => object.name === 'tried'))
  })

  it('misses nothing, and keeps the order, where the collector is away and the companion is killed', async () => {
    await collector.close()
    for (let value = 10; value < 16; value += 1) await set(value % 2 ? 'alice' : 'bob', 'prices', value)
    await world.until(async () =>
      (await counted('deckwatch_audit_export_failures_total')) > 0 ? true : undefined,
    )
    // What the store has when the companion is killed; what only the journal has is tried elsewhere.
    await world.settled()
    const failing = (await world.recording())?.export?.failing
    assert.match(failing?.reason ?? '', /ECONNREFUSED/)
    await world.companion.kill()
    await set('carol', 'prices', 20)
    await collector.open()
    await world.companion.start()
    await world.untilReviewed()
    await set('alice', 'prices', 21)
    // What nobody reviewed is told a while later: it has no author.
    const landed = await world.until(async () => {
      const all = await world.changes(SHOP, ['object.name=prices'])
      const states = all.map(({ state, user, reason }) => [state, user?.username, reason])
      if (all.length !== 10) throw new Error(JSON.stringify(states))
      return all
    }, 'all that was written')
    assert.equal(landed.filter(({ state }) => state === 'unattributed').length, 1)
    await nothingMissing()
    assert.equal(await counted('deckwatch_audit_export_refused_total'), 0)
    assert.equal((await world.recording())?.export?.failing, undefined)
  })

  it('shows the header for the collector in no log', () => {
    assert.ok(!JSON.stringify(world.companion.logs()).includes('of-the-collector'))
  })
})

/** What takes OTLP/HTTP, as far as logs need it; each time on the same port. */
class Collector {
  /** In the order in which they came, those that came again included. */
  readonly changes: Change[] = []
  readonly tokens = new Set<string | undefined>()
  readonly #port: number
  #server: Server | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Each once: what was taken, but not answered in time, is told again. */
  get once(): readonly Change[] {
    const id = ({ metadata }: Change): string => `${metadata?.name} ${metadata?.resourceVersion}`
    return [...new Map(this.changes.map((change) => [id(change), change])).values()]
  }

  has({ metadata }: Change): boolean {
    return this.changes.some(
      (told) =>
        told.metadata?.name === metadata?.name &&
        told.metadata?.resourceVersion === metadata?.resourceVersion,
    )
  }

  async open(): Promise<void> {
    this.#server = createServer((request, response) => {
      const { method, url, headers } = request
      this.tokens.add(headers.authorization)
      json(request).then(
        (body) => {
          if (method !== 'POST' || url !== '/v1/logs') return response.writeHead(404).end()
          this.#take(body as OtlpLogsRequest)
          return response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
        },
        () => response.writeHead(400).end(),
      )
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  #take({ resourceLogs }: OtlpLogsRequest): void {
    for (const { scopeLogs } of resourceLogs)
      for (const { logRecords } of scopeLogs)
        for (const { body } of logRecords) {
          assert.ok('stringValue' in body)
          this.changes.push(JSON.parse(body.stringValue) as Change)
        }
  }
}
