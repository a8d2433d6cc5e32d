import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CompanionChurn } from '../kit/companion-churn.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { kubectlWithPlugins } from '../kit/plugin/plugin-environment.ts'
import { mountSmallDisk, type SmallDisk } from '../kit/small-disk.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const PAGE = 8192
const NO_SPACE = /no space is left on the companion's volume: nothing is recorded since \d{4}-/

describe('the companion’s data', function () {
  this.timeout(300_000)
  const seed = Date.now() % 1_000_000
  let cluster: ControlPlane
  let companion: Companion | undefined
  let churned: CompanionChurn | undefined

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
  })

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log(companion?.logs().slice(-10))
  })

  const end = async (): Promise<void> => {
    await churned?.stop()
    await companion?.stop()
    ;[churned, companion] = [undefined, undefined]
    await cluster.kubectl(['delete', 'pods', '-A', '--all', '--grace-period=0', '--force'])
  }

  after(() => cluster?.stop())

  describe('on a full disk', () => {
    let disk: SmallDisk | undefined

    before(async function () {
      disk = await mountSmallDisk(this, cluster.folder.file('small-disk'), 24 * 1024 * 1024)
      const program = [...disk.enter, process.execPath, MAIN]
      companion = await startCompanion(cluster, { data: disk.folder, program })
      churned = await CompanionChurn.start({ cluster, seed, cli: true })
    })

    after(async () => {
      await end()
      await disk?.unmount()
    })

    const answer = async (): Promise<{ readonly status: number; readonly body: string }> =>
      (await companion?.ask('/readyz?verbose').catch(() => undefined)) ?? { status: 0, body: '' }
    /** Waits until the readiness says this, or no longer; fails after a minute and a half. */
    const readyzSays = async (what: RegExp, so: boolean): Promise<void> => {
      for (const until = Date.now() + 90_000; ; await delay(100)) {
        const { status, body } = await answer()
        if (status !== 0 && what.test(body) === so) return
        if (Date.now() > until) assert.fail(`${so ? 'not said' : 'still said'}: ${what.source}\n${body}`)
      }
    }

    it('serves on, says so to everyone, and records everything once there is space again', async () => {
      const { length } = companion?.logs() ?? []
      const figures = await churned?.during({
        gaps: 0,
        async run() {
          disk?.fill()
          await readyzSays(NO_SPACE, true)
          assert.equal((await answer()).status, 200)
          const plain = await cluster.kubectl(['get', 'images', '-A'])
          assert.deepEqual([plain.exitCode, NO_SPACE.test(plain.stderr)], [0, true], plain.stderr)
          assert.match(plain.stdout, /^churn-/m)
          const events = await cluster.kubectl(['get', 'imageevents', '-A', '-o', 'name'])
          assert.deepEqual([events.exitCode, NO_SPACE.test(events.stderr)], [0, true], events.stderr)
          const ours = await kubectlWithPlugins(cluster, ['images', '-A', '--companion=require'])
          assert.deepEqual([ours.exitCode, NO_SPACE.test(ours.stderr)], [0, true], ours.stderr)
          assert.equal((await companion?.ask('/livez'))?.status, 200)
          assert.ok(((await companion?.status())?.volume?.freeBytes ?? NaN) < PAGE)
          disk?.free()
          await readyzSays(NO_SPACE, false)
        },
      })
      assert.equal(figures?.exact, true)
      const said = (companion?.logs() ?? []).slice(length).map(({ level, message }) => `${level} ${message}`)
      assert.ok(
        said.some((line) => line.startsWith('error nothing is recorded')),
        said.join('\n'),
      )
      assert.ok(
        said.some((line) => line.startsWith('info recording again, nothing was lost')),
        said.join('\n'),
      )
    })

    it('and started on it waits, saying why, and goes on where it was', async () => {
      await churned?.during({
        gaps: 1,
        async run() {
          disk?.fill()
          await readyzSays(NO_SPACE, true)
          await companion?.kill()
          const ready = companion?.start()
          await readyzSays(/^\[-\]image-graph waiting for space/m, true)
          // Not by kubectl, which would try for twenty seconds what it is told to try again.
          const asked = cluster.admin.text('GET', '/apis/deckwatch.dev/v1alpha1/images')
          await assert.rejects(asked, /cannot answer yet: waiting for space/)
          disk?.free()
          await ready
          await readyzSays(NO_SPACE, false)
        },
      })
    })
  })

  describe('that is damaged is set aside, said, and begun anew,', () => {
    before(async () => {
      companion = await startCompanion(cluster)
      churned = await CompanionChurn.start({ cluster, seed, cli: true })
    })

    after(end)

    const DAMAGES: readonly (readonly [what: string, damage: (file: string) => void])[] = [
      [
        'where random pages were overwritten',
        (file) => {
          const pages = statSync(file).size / PAGE
          const descriptor = openSync(file, 'r+')
          for (let count = 0; count < 5; count += 1)
            writeSync(descriptor, randomBytes(PAGE), 0, PAGE, PAGE * Math.floor(Math.random() * pages))
          closeSync(descriptor)
        },
      ],
      [
        'where half of the file is missing',
        (file) => truncateSync(file, Math.ceil(statSync(file).size / PAGE / 2) * PAGE),
      ],
      ['where nothing is left of the file', (file) => truncateSync(file)],
      [
        'where a folder is in its place',
        (file) => {
          rmSync(file)
          mkdirSync(join(file, 'lost+found'), { recursive: true })
        },
      ],
    ]

    for (const [what, damage] of DAMAGES) {
      it(what, async () => {
        const list = ['get', '--raw', '/apis/deckwatch.dev/v1alpha1/clusterimageevents']
        const before = JSON.parse((await cluster.kubectl(list)).stdout) as {
          metadata: { resourceVersion: string }
        }
        await churned?.during({
          gaps: 0,
          anew: true,
          aroundMs: 700,
          async run() {
            await companion?.terminate()
            damage(join(companion?.data ?? '', 'image-graph.sqlite'))
            await companion?.start()
          },
        })
        const watch = `${list[2]}?watch=true&resourceVersion=${before.metadata.resourceVersion}`
        const { stdout, stderr } = await cluster.kubectl(['get', '--raw', watch])
        assert.match(stdout + stderr, /too old resource version/)
        const { stderr: warned, exitCode } = await cluster.kubectl(['get', 'imageevents', '-A'])
        assert.equal(exitCode, 0)
        assert.match(warned, /^Warning: the history was found damaged and begun anew at .*set aside$/m)
        assert.match((await companion?.ask('/readyz?verbose'))?.body ?? '', /found damaged and begun anew/)
        const aside = readdirSync(companion?.data ?? '').filter((name) => name.includes('.damaged-'))
        assert.equal(aside.length, 1, aside.join(' '))
      })
    }
  })
})
