import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import * as fc from 'fast-check'
import type { JournalEntry } from '../../../server/audit-log/journal/journal.ts'
import { objectHash } from '../../../server/audit-log/object-hash.ts'
import { RECORDED_RESOURCES } from '../../../server/audit-log/recorded-resources.ts'
import { readReview } from '../../../server/audit-log/recorder/review-reading.ts'
import { causeOf } from '../../../src/core/model/change-cause.ts'
import { reviewOf, WebhookWorld } from './webhook-world.ts'

const key = createSecretKey(Buffer.alloc(32, 1))
const names = { object: () => undefined, namespaceUid: () => 'ns-1' }
const nothing = {
  latest: () => undefined,
  eviction: () => undefined,
  endingNamespace: () => undefined,
  autoscaler: () => undefined,
}

/** Reads an entry as the recorder does, after it was in the journal. */
function read(entry: Omit<JournalEntry, 'seq'>): void {
  const kept = JSON.parse(JSON.stringify({ ...entry, seq: 1 })) as JournalEntry
  const { group, resource } = kept.request.resource
  const recorded = RECORDED_RESOURCES.find((one) => one.group === group && one.resource === resource)
  assert.ok(recorded)
  const hash = (object: unknown): string => objectHash(object as never, key)
  const review = readReview(kept, recorded, names, { writer: 1, hash })
  if (review === 'no change') return
  const { operation, object, user } = review.record
  causeOf({ operation, ...object, username: user?.username ?? '', object: review.object }, nothing)
}

const nested = (depth: number): string => `${'{"f:a":'.repeat(depth)}{}${'}'.repeat(depth)}`

describe('reviews that no API server would write', () => {
  let world: WebhookWorld

  beforeEach(async () => {
    world = new WebhookWorld({ limits: { reviewsPerSecond: 1e6, burst: 1e6 } })
    await world.listen()
  })
  afterEach(() => world.end())

  const unsound: Readonly<Record<string, string>> = {
    'managed fields that are no list': '{"managedFields":{"a":1}}',
    'managed fields of nothing': '{"managedFields":[null,1]}',
    'managed fields without fields': '{"managedFields":[{"fieldsV1":"x"}]}',
    'managed fields nested deeper than any object': `{"managedFields":[{"fieldsV1":${nested(3000)}}]}`,
    'owners that are none': '{"ownerReferences":"y"}',
    'an owner of nothing': '{"ownerReferences":[null]}',
    'labels that are no texts': '{"labels":{"a":{"b":1}}}',
    'a name that is no text': '{"name":{"a":1}}',
    'finalizers that are no list': '{"finalizers":7}',
    'a deletion at no time': '{"deletionTimestamp":[1]}',
  }
  for (const [what, metadata] of Object.entries(unsound)) {
    it(`records who, what and where of an object with ${what}, and not the object`, async () => {
      const { text } = await world.post(
        reviewOf({ object: { metadata: 'M' }, oldObject: { metadata: {} } }).replace('"M"', metadata),
      )
      assert.equal((JSON.parse(text) as { response: { allowed: boolean } }).response.allowed, true)
      const [entry] = world.journal.entries
      assert.ok(entry)
      assert.deepEqual(world.outcomes, ['metadata'])
      assert.equal(entry.truncated, true)
      assert.equal(entry.request.object ?? entry.request.oldObject, undefined)
      assert.equal(entry.request.userInfo.username, 'alice')
      read(entry)
    })
  }

  it('records what is only unusual whole', async () => {
    const metadata = {
      name: 'web',
      labels: null,
      managedFields: null,
      ownerReferences: [],
      other: { a: [1] },
    }
    await world.review({ object: { metadata, data: { a: '2' } }, oldObject: { metadata, data: { a: '1' } } })
    assert.deepEqual(world.outcomes, ['recorded'])
  })

  it('never leave in the journal what the recorder cannot read', async () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(null, '', 1, [], {}, [null], { a: null }),
    )
    const metadata = fc.dictionary(
      fc.constantFrom(
        ...'name namespace uid resourceVersion labels annotations ownerReferences finalizers'.split(' '),
        ...'managedFields deletionTimestamp creationTimestamp generation deletionGracePeriodSeconds __proto__'.split(
          ' ',
        ),
      ),
      value,
    )
    const object = fc.dictionary(fc.constantFrom('spec', 'status', 'data', 'kind', 'apiVersion'), value)
    const whole = fc.tuple(metadata, object).map(([fields, rest]) => ({ ...rest, metadata: fields }))
    const resource = fc.constantFrom(
      ...RECORDED_RESOURCES.map(({ group, version, resource: plural }) => ({
        group,
        version,
        resource: plural,
      })),
    )
    const operation = fc.constantFrom('CREATE', 'UPDATE', 'DELETE')
    const subResource = fc.constantFrom('', 'scale', 'eviction', 'resize')
    const review = fc.record({ resource, operation, subResource, object: whole, oldObject: whole })
    await fc.assert(
      fc.asyncProperty(review, async (request) => {
        const { length } = world.journal.entries
        await world.post(reviewOf(request))
        for (const entry of world.journal.entries.slice(length)) read(entry)
      }),
      { numRuns: 300 },
    )
    assert.ok(world.outcomes.includes('recorded') && world.outcomes.includes('metadata'))
  })
})
