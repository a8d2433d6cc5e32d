import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExportTarget } from '../../../server/audit-log/config.ts'
import { ChangeExporter } from '../../../server/audit-log/export/change-exporter.ts'
import { ExportCursor } from '../../../server/audit-log/export/export-cursor.ts'
import {
  type AuditStore,
  type NumberedChange,
  StoreTaken,
} from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { PaperChanges } from './paper-changes.ts'

/** Waits are short, so that what is tried again is tried at once. */
const hasty: Clock = {
  now: () => Date.now(),
  sleep: (_ms, signal) => delay(5, undefined, signal ? { signal } : {}),
}

describe('the export of changes', () => {
  let folder: string
  let store: AuditStore
  let source: PaperChanges
  let server: Server
  let url: string
  let answer: (body: string) => number
  const got: { type: string; token: string; body: string }[] = []
  const running: { end: AbortController; ended: Promise<void> }[] = []

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-export-'))
    store = await openAuditStore({ folder, url: '' }, { clock: hasty, log: recordedLog() })
    source = new PaperChanges()
    answer = () => 200
    got.length = 0
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const status = answer(body)
        if (status === 0) return request.socket.destroy()
        if (status === 200) {
          const { 'content-type': type = '', authorization: token = '' } = request.headers
          got.push({ type, token, body })
        }
        return response.writeHead(status).end('{}')
      })
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`
  })

  afterEach(async () => {
    await stop()
    server.closeAllConnections()
    server.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  type CursorStore = Pick<AuditStore, 'position' | 'commit'>

  function storeOf(): CursorStore {
    return { position: (writer) => store.position(writer), commit: (batch) => store.commit(batch) }
  }

  function start(target: Partial<ExportTarget> = {}, kept: CursorStore = store): ChangeExporter {
    const end = new AbortController()
    const chosen: ExportTarget = { url, format: 'jsonl', headers: { authorization: 'Bearer t' }, ...target }
    const exporter = new ChangeExporter({
      target: chosen,
      store: { after: (number, limit) => source.after(number, limit), state: async () => storeState() },
      cursor: new ExportCursor(kept, chosen.url),
      fetch,
      clock: hasty,
      log: recordedLog(),
      version: '1.2.3',
      random: () => 0,
    })
    running.push({ end, ended: exporter.run(end.signal) })
    return exporter
  }
  function storeState() {
    const kept = source.state?.store
    assert.ok(kept)
    return kept
  }
  async function stop(): Promise<void> {
    for (const { end, ended } of running.splice(0)) {
      end.abort()
      await ended
    }
  }
  const names = (): string[] =>
    got.flatMap(({ body }) =>
      body
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { metadata: { name: string } }).metadata.name),
    )
  async function until(done: () => boolean): Promise<void> {
    for (let step = 0; step < 1000 && !done(); step += 1) await delay(5)
    assert.ok(done(), `after 5 s: ${got.length} requests were taken`)
  }
  const nameOf = ({ id }: NumberedChange): string => `${id.writer}-${id.seq}`

  it('begins with what is new, and tells only what landed, in order', async () => {
    source.add()
    const exporter = start()
    await until(() => exporter.upTo > 0)
    const landed = [source.add(), source.add({ state: 'unattributed' })]
    source.add({ state: 'pending' })
    source.add({ state: 'not-landed' })
    landed.push(source.add({ state: 'admitted' }))
    await until(() => names().length === 3)
    assert.deepEqual(names(), landed.map(nameOf))
    assert.deepEqual([got[0]?.type, got[0]?.token], ['application/x-ndjson', 'Bearer t'])
  })

  it('tells again what was not confirmed, and goes on after a restart where it was', async () => {
    const exporter = start()
    await until(() => exporter.upTo > 0)
    let refusals = 3
    answer = () => ((refusals -= 1) >= 0 ? ([503, 0, 429][refusals] ?? 503) : 200)
    const first = source.add()
    await until(() => exporter.progress.failing !== undefined)
    assert.match(exporter.progress.failing?.reason ?? '', /answered \d+|socket|closed/)
    await until(() => names().length === 1)
    await until(() => exporter.progress.failing === undefined)
    await stop()
    const second = source.add()
    start()
    await until(() => names().length === 2)
    assert.deepEqual(names(), [nameOf(first), nameOf(second)])
    assert.ok(exporter.progress.failures >= 3)
  })

  it('leaves out what is refused for good, and nothing that came with it', async () => {
    const exporter = start()
    await until(() => exporter.upTo > 0)
    answer = (body) => (body.includes('poison') ? 400 : 200)
    const [good, bad, other] = [source.add(), source.add({ reason: 'poison' }), source.add()]
    await until(() => names().length === 2)
    assert.deepEqual(names(), [nameOf(good), nameOf(other)])
    assert.ok(bad)
    await until(() => exporter.progress.refused === 1)
  })

  it('sends large changes in requests of their own', async () => {
    const exporter = start()
    await until(() => exporter.upTo > 0)
    const large = { changes: [{ path: 'data.a', op: 'add', to: 'x'.repeat(700_000) }] } as const
    const added = [source.add(large), source.add(large), source.add(), source.add(large)]
    await until(() => names().length === 4)
    assert.deepEqual(names(), added.map(nameOf))
    assert.ok(got.every(({ body }) => body.length < 2 ** 21))
    assert.ok(got.length > 1)
  })

  it('ends where another process has become the one who writes', async () => {
    const taken = { ...storeOf(), commit: () => Promise.reject(new StoreTaken('another writes')) }
    start({}, taken)
    const [one] = running
    assert.ok(one)
    source.add()
    await one.ended
    assert.equal(got.length, 0)
  })

  it('begins anew with another collector', async () => {
    const exporter = start()
    await until(() => exporter.upTo > 0)
    source.add()
    await until(() => names().length === 1)
    await stop()
    const other = start({ url: `${url}?other` })
    await until(() => other.upTo > 0)
    const second = source.add()
    await until(() => names().length === 2)
    assert.deepEqual(names()[1], nameOf(second))
  })

  it('speaks OTLP', async () => {
    const exporter = start({ format: 'otlp' })
    await until(() => exporter.upTo > 0)
    const change = source.add()
    await until(() => got.length === 1)
    assert.equal(got[0]?.type, 'application/json')
    const { resourceLogs } = JSON.parse(got[0]?.body ?? '') as {
      resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[]
    }
    const [record = {}] = resourceLogs[0]?.scopeLogs[0]?.logRecords ?? []
    assert.equal(record['timeUnixNano'], `${change.time}000000`)
    assert.equal(record['severityText'], 'INFO')
    const attributes = record['attributes'] as { key: string; value: { stringValue?: string } }[]
    const value = (key: string) => attributes.find((one) => one.key === key)?.value.stringValue
    assert.deepEqual(
      [value('user.name'), value('k8s.namespace.name'), value('deckwatch.object.name')],
      ['jane', 'shop', 'web'],
    )
    const { stringValue } = record['body'] as { stringValue: string }
    assert.equal((JSON.parse(stringValue) as { metadata: { name: string } }).metadata.name, nameOf(change))
  })
})
