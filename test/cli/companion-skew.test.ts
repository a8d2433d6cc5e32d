import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Image, ImageEvent, ServedImageList } from '../../src/core/wire/image.ts'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import type { RequestMatcher } from '../kit/fake-api/fake-faults.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { words } from './command-line.ts'
import { shopCluster } from './shop-cluster.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const IMAGES = `${ROOT}/clusterimages`
const EVENTS = `${ROOT}/clusterimageevents`

type Loose = Record<string, unknown>

/** What a later version may add to any object. */
function extended<T extends object>(value: T): T {
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => [key, deepened(inner)])
  return { ...(Object.fromEntries(entries) as T), later: { version: 2, list: ['x'] } }
}

function deepened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deepened)
  return typeof value === 'object' && value !== null ? extended(value) : value
}

function without(value: object, ...keys: readonly string[]): Loose {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}

/** Lines that the companion answers. */
const LINES = ['-A', '-A -o csv', '-A -o name', '-A --companion=require nginx']

describe('kubectl images and a companion one version apart', () => {
  let api: FakeApi

  beforeEach(async () => {
    api = await startFakeApi({ objects: shopCluster(), companion: true })
  })
  afterEach(() => api.stop())

  /** From now on the answer to the same request is another. */
  async function change(
    at: string,
    make: (body: Loose) => unknown,
    matcher: RequestMatcher = at,
  ): Promise<void> {
    const body = (await (await fetch(`${api.url}${at}`)).json()) as Loose
    const changed = { kind: 'answer', status: 200, contentType: 'application/json' } as const
    api.faults.always(matcher, { ...changed, body: JSON.stringify(make(body)) })
  }
  const changeImages = (make: (image: Image) => unknown): Promise<void> =>
    change(IMAGES, (body) => ({ ...body, items: (body as unknown as ServedImageList).items.map(make) }))

  describeForms('by', (cli) => {
    const run = async (line: string): Promise<CliResult> =>
      cli().run(words(line), { env: { KUBECONFIG: await api.writeKubeconfig(cli().folder) } })
    beforeEach(async () => {
      await rm(join(cli().folder, 'cache'), { recursive: true, force: true })
      // Once it knows that there is one, it waits for its answer.
      assert.equal((await run('-A -o name --companion=require')).exitCode, 0)
    })

    it('a later one, whose objects say more, is understood as far as this one goes', async () => {
      const before: CliResult[] = []
      for (const line of LINES) before.push(await run(line))
      await change(ROOT, (body) => ({
        ...extended(body),
        resources: [
          ...(body['resources'] as Loose[]).map(extended),
          { name: 'laterthings', verbs: ['list'] },
        ],
      }))
      await change(IMAGES, extended)
      const asked = api.requests.length
      for (const [index, line] of LINES.entries()) assert.deepEqual(await run(line), before[index])
      assert.ok(api.requests.slice(asked).every(({ path }) => path.startsWith(ROOT)))
    })

    it('a later one may have kinds of containers that nobody knows here', async () => {
      await changeImages((image) => ({
        ...image,
        usage: { ...image.usage, by: image.usage.by.map((use) => ({ ...use, type: 'satellite' })) },
      }))
      const { stdout, stderr, exitCode } = await run('-A --companion=require')
      assert.equal(exitCode, 0, stderr)
      assert.match(stdout, /nginx/)
    })

    it('its events are told too, and its history', async () => {
      const event = {
        op: '+',
        image: 'later:1',
        pod: { namespace: 'shop', name: 'later-0', uid: 'u' },
      } as const
      api.companion.record({ ...event, time: new Date().toISOString(), late: false })
      await change(`${EVENTS}?limit=100`, extended, EVENTS)
      const since = await run('-A --since 1h -o json')
      assert.equal(since.exitCode, 0, since.stderr)
      const told = JSON.parse(since.stdout.trim().split('\n').at(-1) ?? '') as ImageEvent
      assert.deepEqual([told.op, told.image, told.pod.name], ['+', 'later:1', 'later-0'])
      const history = await run('history later:1 -A')
      assert.equal(history.exitCode, 0, history.stderr)
      assert.match(history.stdout, /later-0/)
    })

    for (const [what, make] of [
      ['no summary', () => change(IMAGES, (body) => without(body, 'summary'))],
      ['no resourceVersion', () => change(IMAGES, (body) => without(body, 'metadata'))],
      [
        'no counts of several spellings together',
        () => changeImages((image) => without(image, 'usageTogether')),
      ],
    ] as const) {
      it(`an earlier one that tells ${what} is left alone: pods answer`, async () => {
        const lines = LINES.filter((line) => !line.includes('require'))
        const direct: CliResult[] = []
        for (const line of lines) direct.push(await run(`${line} --companion=never`))
        await make()
        for (const [index, line] of lines.entries()) {
          const { stdout, stderr, exitCode } = await run(line)
          assert.deepEqual([stdout, exitCode], [direct[index]?.stdout, 0])
          assert.doesNotMatch(stderr, /undefined|NaN|TypeError/)
        }
      })
    }

    it('an earlier one that does not say what brought an image still lists them, and gives no stream', async () => {
      const before = await run('-A')
      await changeImages((image) => without(image, 'lastChange'))
      assert.deepEqual(await run('-A'), before)
      const required = await run('-A --follow --companion=require')
      assert.match(required.stderr, /the companion does not say what brought the image/)
      assert.equal(required.exitCode, 3)
    })

    it('an earlier one without events lists images, and says of the past that it cannot be had', async () => {
      await change(ROOT, (body) => ({
        ...body,
        resources: (body['resources'] as Loose[]).filter(({ name }) => !String(name).includes('events')),
      }))
      api.faults.always(new RegExp(`^${EVENTS}`), { kind: 'status', status: 404, reason: 'NotFound' })
      assert.equal((await run('-A --companion=require')).exitCode, 0)
      const past = await run('-A --since 1h')
      assert.equal(past.exitCode, 3)
      assert.doesNotMatch(past.stderr, /undefined|TypeError/)
    })
  })
})
