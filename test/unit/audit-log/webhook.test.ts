import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import * as fc from 'fast-check'
import type {
  AdmissionLimits,
  AdmissionRouteOptions,
} from '../../../server/audit-log/webhook/admission-route.ts'
import { NOBODY, RECORDS_ALL } from '../../kit/audit-config.ts'
import { reviewOf, WebhookWorld } from './webhook-world.ts'

const UID = '705ab4f5-6393-11e8-b7cc-42010a800002'
const ALLOWED = { uid: UID, allowed: true }

describe('the webhook of the audit log', () => {
  let world: WebhookWorld

  async function start(
    limits: Partial<AdmissionLimits> = {},
    config: Partial<AdmissionRouteOptions['config']> = {},
  ): Promise<WebhookWorld> {
    await world?.end()
    world = new WebhookWorld({
      limits,
      config: { ...RECORDS_ALL, ...config },
    })
    await world.listen()
    return world
  }

  beforeEach(() => start())
  afterEach(async () => {
    await world.end()
    world = undefined as unknown as WebhookWorld
  })

  const object = (data: Record<string, string>) => ({ metadata: { name: 'web', namespace: 'shop' }, data })

  it('allows a review, records it, and says by which id', async () => {
    const options = { kind: 'UpdateOptions', fieldManager: 'kubectl-edit', fieldValidation: 'Strict' }
    const answer = await world.review({ object: object({ a: '2' }), oldObject: object({ a: '1' }), options })
    assert.deepEqual(answer, { ...ALLOWED, auditAnnotations: { change: '4711-1' } })
    assert.deepEqual(world.journal.entries, [
      {
        received: world.clock.now(),
        request: {
          uid: UID,
          kind: { group: '', version: 'v1', kind: 'ConfigMap' },
          resource: { group: '', version: 'v1', resource: 'configmaps' },
          requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
          requestResource: { group: '', version: 'v1', resource: 'configmaps' },
          name: 'web',
          namespace: 'shop',
          operation: 'UPDATE',
          userInfo: { username: 'alice', groups: ['dev', 'system:authenticated'] },
          object: object({ a: '2' }),
          oldObject: object({ a: '1' }),
          options: { fieldManager: 'kubectl-edit' },
        },
      },
    ])
    assert.deepEqual(world.outcomes, ['recorded'])
  })

  it('counts a dry run and does not record it', async () => {
    assert.deepEqual(await world.review({ object: object({}), dryRun: true }), ALLOWED)
    assert.deepEqual(world.journal.entries, [])
    assert.deepEqual(world.outcomes, ['dry-run'])
  })

  it('hands nothing on but what is redacted', async () => {
    await world.review({
      object: object({ password: 'correct horse' }),
      oldObject: object({ password: 'battery' }),
    })
    const text = JSON.stringify(world.journal.entries)
    assert.doesNotMatch(text, /correct|horse|battery/)
    assert.match(text, /redacted:[0-9a-f]{16}/)
  })

  it('answers allowed where the journal is full, broken or does not end, and says so', async () => {
    await start({ answerWithinMs: 20 })
    for (const state of ['full', 'broken', 'hangs'] as const) {
      world.journal.state = state
      assert.deepEqual(await world.review({ object: object({}) }), ALLOWED)
    }
    assert.deepEqual(world.outcomes, ['full', 'failed', 'slow'])
    assert.ok(
      world.log.lines.some(({ level, message }) => level === 'warn' && message.includes('not recorded')),
    )
    world.journal.state = 'works'
    assert.deepEqual((await world.review({}))['auditAnnotations'], { change: '4711-1' })
  })

  it('records what cannot be redacted without its objects', async () => {
    let nested: unknown = 'deep'
    for (let depth = 0; depth < 1000; depth++) nested = [nested]
    const answer = await world.review({ object: { ...object({}), nested } })
    assert.equal(answer['allowed'], true)
    const [entry] = world.journal.entries
    assert.equal(entry?.truncated, true)
    assert.equal(entry?.request.object, undefined)
    assert.deepEqual(world.outcomes, ['metadata'])
  })

  describe('of an access', () => {
    const exec = {
      operation: 'CONNECT',
      kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      subResource: 'exec',
      object: {
        kind: 'PodExecOptions',
        apiVersion: 'v1',
        stdin: true,
        container: 'app',
        command: ['mysql', '-pcorrect-horse'],
      },
    } as const

    it('keeps container and subresource, and no argument', async () => {
      await start({}, { auditAccess: true })
      await world.review(exec)
      const [entry] = world.journal.entries
      assert.equal(entry?.request.subResource, 'exec')
      assert.deepEqual(entry?.request.object, { apiVersion: 'v1', kind: 'PodExecOptions', container: 'app' })
      assert.doesNotMatch(JSON.stringify(entry), /mysql|horse/)
    })

    it('records nothing where that was not asked for', async () => {
      assert.deepEqual(await world.review(exec), ALLOWED)
      assert.deepEqual(world.outcomes, ['excluded'])
    })
  })

  it('keeps an eviction as a subresource of the pod', async () => {
    await world.review({
      operation: 'CREATE',
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      subResource: 'eviction',
      object: { metadata: { name: 'web-1', namespace: 'shop' } },
    })
    assert.equal(world.journal.entries[0]?.request.subResource, 'eviction')
  })

  it('leaves out whom the configuration excludes', async () => {
    await start({}, { auditExclude: { ...NOBODY, users: ['system:node:*'] } })
    await world.review({ userInfo: { username: 'system:node:a' } })
    await world.review({ userInfo: { username: 'bob' } })
    assert.deepEqual(world.outcomes, ['excluded', 'recorded'])
  })

  describe('given more than it holds', () => {
    const limits = { maxBytes: 100_000, headBytes: 4000, tailBytes: 2000 }
    const large = (dryRun: boolean): string =>
      reviewOf({
        object: object({ text: 'a"b\\'.repeat(50_000) }),
        oldObject: object({ text: ',"dryRun":true}}' }),
        dryRun,
        options: { fieldManager: 'kubectl', dryRun: ['All'] },
      })

    for (const chunked of [false, true]) {
      it(`records who, what and where of a large body${chunked ? ' of unknown length' : ''}`, async () => {
        await start(limits)
        const { status, text } = await world.post(large(false), { chunked })
        assert.equal(status, 200)
        assert.match(text, new RegExp(`"uid":"${UID}","allowed":true,"auditAnnotations":{"change":"4711-1"}`))
        const [entry] = world.journal.entries
        assert.equal(entry?.truncated, true)
        assert.equal(entry?.request.userInfo.username, 'alice')
        assert.equal(entry?.request.name, 'web')
        assert.equal(entry?.request.object, undefined)
        assert.deepEqual(entry?.request.options, { fieldManager: 'kubectl' })
        assert.deepEqual(world.outcomes, ['metadata'])
      })
    }

    it('knows a large dry run', async () => {
      await start(limits)
      assert.equal((await world.post(large(true))).status, 200)
      assert.deepEqual(world.outcomes, ['dry-run'])
    })

    it('answers what is too large by its uid where no more can be read', async () => {
      await start(limits)
      const groups = Array.from({ length: 1000 }, (_, i) => `group-${i}`)
      const { status, text } = await world.post(
        reviewOf({ userInfo: { username: 'alice', groups }, object: object({ text: 'x'.repeat(200_000) }) }),
      )
      assert.equal(status, 200)
      assert.match(text, new RegExp(`"uid":"${UID}","allowed":true}`))
      assert.deepEqual(world.outcomes, ['large'])
    })

    it('answers 413 where no uid is found', async () => {
      await start(limits)
      assert.equal((await world.post('x'.repeat(200_000))).status, 413)
      assert.deepEqual(world.outcomes, ['invalid'])
    })

    it('cuts a body without an end', async () => {
      await start({ ...limits, maxReadBytes: 300_000 })
      await assert.rejects(
        world.post(
          Array.from({ length: 50 }, () => Buffer.alloc(100_000)),
          { chunked: true },
        ),
      )
      assert.deepEqual(world.outcomes, [])
    })

    it('gives up a body that does not come', async () => {
      await start({ withinMs: 50 })
      await assert.rejects(
        new Promise((resolve, reject) => {
          const sent = httpRequest(world.url, { method: 'POST', headers: { 'content-length': 1000 } })
          sent.on('response', resolve).on('error', reject)
          sent.write('{')
        }),
      )
    })

    it('holds no more bytes than its budget, answers the others, and has it all again afterwards', async () => {
      await start({ heldBytes: 250_000, heldBytesPerAddress: 250_000 })
      const one = reviewOf({ object: object({ text: 'x'.repeat(100_000) }) })
      const answers = await Promise.all(Array.from({ length: 12 }, () => world.post(one)))
      for (const { status, text } of answers) {
        assert.equal(status, 200)
        assert.match(text, /"allowed":true/)
      }
      world.outcomes.length = 0
      assert.match((await world.post(one)).text, /auditAnnotations/)
      assert.deepEqual(world.outcomes, ['recorded'])
    })

    it('records no more of an address than its share, and allows the rest', async () => {
      await start({ reviewsPerSecond: 1, burst: 3 })
      for (let i = 0; i < 5; i++) assert.equal((await world.review({}))['allowed'], true)
      assert.deepEqual(world.outcomes, ['recorded', 'recorded', 'recorded', 'rate', 'rate'])
      await world.clock.advance(1000)
      await world.review({})
      assert.equal(world.outcomes.at(-1), 'recorded')
    })
  })

  describe('given what nobody should send', () => {
    const whatever = fc.anything({ withNullPrototype: false, withBigInt: false, maxDepth: 4 })

    it('answers 400 to what is no review', async () => {
      const bodies = ['', '{', 'null', '[]', '{}', '{"kind":"AdmissionReview"}', reviewOf({ uid: '' })]
      for (const body of [...bodies, reviewOf().replace('/v1"', '/v1beta1"')]) {
        assert.equal((await world.post(body)).status, 400, body)
      }
      assert.deepEqual(world.journal.entries, [])
    })

    it('never fails, whatever a review holds', async () => {
      const names =
        'uid kind resource subResource requestKind name namespace operation userInfo object oldObject dryRun'
      const fields = fc.dictionary(
        fc.constantFrom(...names.split(' '), 'options', '__proto__', 'constructor'),
        fc.oneof(
          whatever,
          fc.constant({ metadata: null }),
          fc.constant({ username: 1, groups: [1], extra: { a: 1 } }),
        ),
      )
      const objects = fc.record({ metadata: whatever, data: whatever, kind: fc.constantFrom('Secret', 1) })
      await fc.assert(
        fc.asyncProperty(fields, objects, async (request, odd) => {
          await world.clock.advance(10_000)
          const secrets = { resource: { group: '', version: 'v1', resource: 'secrets' }, object: odd }
          for (const body of [reviewOf(request), reviewOf({ ...secrets, ...request }), reviewOf(secrets)]) {
            const { status, text } = await world.post(body)
            assert.ok(status === 200 || status === 400, `${status} for ${body}`)
            if (status === 200)
              assert.equal((JSON.parse(text) as { response: { allowed: boolean } }).response.allowed, true)
          }
        }),
        { numRuns: 200 },
      )
      assert.ok(!world.outcomes.includes('failed'), 'no fault of its own')
    })

    it('never fails, whatever bytes come', async () => {
      const cut = fc.tuple(fc.nat(400), fc.uint8Array({ maxLength: 20 })).map(([at, bytes]) => {
        const whole = Buffer.from(reviewOf({ object: object({ a: 'b' }) }))
        return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + bytes.length)])
      })
      await fc.assert(
        fc.asyncProperty(fc.oneof(cut, fc.uint8Array()), async (body) => {
          await world.clock.advance(10_000)
          const { status } = await world.post(Buffer.from(body))
          assert.ok(status === 200 || status === 400)
        }),
        { numRuns: 200 },
      )
    })
  })
})
