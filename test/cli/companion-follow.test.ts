import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { isWatch } from '../kit/fake-api/fake-faults.ts'
import { buildPod } from '../kit/fake-api/pod-builder.ts'
import type { RunningCli } from '../kit/run-cli.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const EVENTS = `${ROOT}/namespaces/shop/imageevents`
const TIME = /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO \] /

/** The lines without their time, whose form is checked. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      assert.match(line, TIME)
      return line.replace(TIME, '')
    })
}

describe('kubectl images --follow with a companion', () => {
  let api: FakeApi
  const put = (name: string, image: string): void =>
    void api.put(buildPod(name, { namespace: 'shop', uid: `uid-${name}`, containers: [image] }))
  const remove = (name: string): void => void api.remove('Pod', 'shop', name)

  beforeEach(async () => {
    api = await startFakeApi({ companion: true })
    put('web-1', 'nginx:1.25')
    put('web-2', 'nginx:1.25')
    put('job', 'ghcr.io/acme/report:1.4')
  })
  afterEach(() => api.stop())

  describeForms('by', (cli) => {
    let running: RunningCli
    const options = async () => ({ env: { KUBECONFIG: await api.writeKubeconfig(cli().folder) } })
    const follow = async (...args: string[]): Promise<void> => {
      running = await cli().start(['-n', 'shop', '--follow', ...args], await options())
      await running.waitFor('stderr', 'following\n')
    }
    /** Lets the stream catch up: an image of its own comes, and its line is waited for. */
    const mark = async (name: string): Promise<void> => {
      put(`mark-${name}`, `mark:${name}`)
      await running.waitFor('stdout', `mark:${name}`)
    }
    const told = async (): Promise<string[]> => {
      const { stdout, exitCode } = await running.kill('SIGINT')
      assert.equal(exitCode, 130)
      return lines(stdout).filter((line) => !line.includes('mark:'))
    }
    const watched = (): string[] => [...new Set(api.requests.filter(isWatch).map(({ path }) => path))]

    beforeEach(async () => {
      await rm(join(cli().folder, 'cache'), { recursive: true, force: true })
      // However long it takes to find out that it is there: a plain run waits for 300 ms only.
      await cli().run(['-n', 'shop', '-o', 'name', '--companion=require'], await options())
    })

    it('prints the lines that pods give, and follows its journal in place of pods', async () => {
      await follow()
      put('web-3', 'nginx:1.25')
      remove('web-1')
      remove('web-3')
      await mark('still-in-use')
      remove('web-2')
      put('web-4', 'nginx:1.27')
      await mark('end')
      const [one = '', other = '', ...rest] = await told()
      // They came within one millisecond, or not.
      assert.deepEqual([one, other].toSorted(), [
        '[+|image]  ghcr.io/acme/report:1.4  [shop|job]',
        '[+|image]  nginx:1.25  [shop|web-1]',
      ])
      assert.deepEqual(rest, ['[-|image]  nginx:1.25  [shop|web-2]', '[+|image]  nginx:1.27  [shop|web-4]'])
      assert.equal(running.stderr, '2 images in use by 3 pods; following\n')
      assert.deepEqual(watched(), [EVENTS])
    })

    it('prints the events as it recorded them with -o json', async () => {
      await follow('-o', 'json', '--no-initial')
      put('new', 'a:1')
      await running.waitFor('stdout', '\n')
      const { stdout } = await running.kill('SIGINT')
      const { metadata, time, ...event } = JSON.parse(stdout) as Record<string, unknown>
      assert.deepEqual(event, {
        apiVersion: 'deckwatch.dev/v1alpha1',
        kind: 'ImageEvent',
        op: '+',
        image: 'a:1',
        pod: { namespace: 'shop', name: 'new', uid: 'uid-new' },
        late: false,
      })
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.match((metadata as { name: string }).name, /^\d{16}$/)
    })

    for (const way of ['require', 'never']) {
      it(`prints events of the whole cluster's kind with -A (--companion=${way})`, async () => {
        const args = ['-A', '--follow', '-o', 'json', `--companion=${way}`]
        running = await cli().start(args, await options())
        await running.waitFor('stderr', 'following\n')
        const { stdout } = await running.kill('SIGINT')
        const events = stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { kind: string; image: string })
        assert.deepEqual(
          events.map(({ kind, image }) => `${kind} ${image}`).toSorted((a, b) => (a < b ? -1 : 1)),
          ['ClusterImageEvent ghcr.io/acme/report:1.4', 'ClusterImageEvent nginx:1.25'],
        )
      })
    }

    it('keeps to the images that match', async () => {
      await follow('--match', 'image', 'mark|report')
      remove('web-1')
      remove('web-2')
      remove('job')
      await mark('end')
      assert.deepEqual(await told(), [
        '[+|image]  ghcr.io/acme/report:1.4  [shop|job]',
        '[-|image]  ghcr.io/acme/report:1.4  [shop|job]',
      ])
      assert.equal(running.stderr, '1 image in use; following\n')
    })

    for (const args of [['--verbose'], ['-l', 'app'], ['--running-only'], ['nginx'], ['--companion=never']]) {
      it(`watches pods for ${args.join(' ')}`, async () => {
        await follow('--no-initial', ...args)
        while (watched().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        await running.kill('SIGINT')
        assert.deepEqual(watched(), ['/api/v1/namespaces/shop/pods'])
      })
    }

    it('goes on after a lost connection with exactly what was missed', async () => {
      await follow('--no-initial')
      await api.down()
      await running.waitFor('stderr', 'trying again')
      put('passing', 'b:1')
      remove('passing')
      remove('job')
      await api.up()
      await running.waitFor('stderr', 'resumed')
      await mark('end')
      const { stdout, stderr } = await running.kill('SIGINT')
      // What came and went meanwhile too: no list of pods could tell that.
      assert.deepEqual(
        lines(stdout).filter((line) => !line.includes('mark:')),
        [
          '[+|image]  b:1  [shop|passing]',
          '[-|image]  b:1  [shop|passing]',
          '[-|image]  ghcr.io/acme/report:1.4  [shop|job]',
        ],
      )
      assert.match(
        stderr,
        /^2 images in use by 3 pods; following\n\d\d:\d\d:\d\dZ the watch was lost \(.+\); trying again\n(?:.* still no watch: .+\n)*not watching \d\d:\d\d:\d\dZ–\d\d:\d\d:\d\dZ; resumed, nothing missed\n$/,
      )
    })

    it('tells the difference of two lists, late, where its journal does not reach back', async () => {
      await follow('--no-initial', '-o', 'json')
      const refused = api.faults.always(isWatch, {
        kind: 'status',
        status: 503,
        reason: 'ServiceUnavailable',
      })
      api.companion.endWatches()
      await running.waitFor('stderr', 'trying again')
      put('passing', 'b:1')
      remove('passing')
      put('web-3', 'nginx:1.27')
      remove('job')
      api.companion.expire()
      refused()
      await running.waitFor('stderr', 'resumed')
      await mark('end')
      const { stdout, stderr } = await running.kill('SIGINT')
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { op: string; image: string; late: boolean })
        .map(({ op, image, late }) => `${op} ${image} ${late ? 'late' : 'in time'}`)
      assert.deepEqual(events, ['+ nginx:1.27 late', '- ghcr.io/acme/report:1.4 late', '+ mark:end in time'])
      assert.match(stderr, /; resumed with a new list: what came and went in between is not told\n$/)
    })

    it('watches pods where the journal may not be watched, and says so before the first line', async () => {
      api.faults.always(EVENTS, { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' })
      await follow()
      await mark('end')
      assert.deepEqual((await told()).toSorted(), [
        '[+|image]  ghcr.io/acme/report:1.4  [shop|job]',
        '[+|image]  nginx:1.25  [shop|web-1]',
      ])
      assert.match(
        running.stderr,
        /^may not watch imageevents\.deckwatch\.dev in namespace shop.*; asking the API server for pods instead\n2 images in use by 3 pods; following\n$/,
      )
    })

    it('fails there where the companion is required', async () => {
      api.faults.always(EVENTS, { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' })
      running = await cli().start(['-n', 'shop', '--follow', '--companion=require'], await options())
      const { stdout, stderr, exitCode } = await running.ended
      assert.equal(exitCode, 3)
      assert.equal(stdout, '')
      assert.match(stderr, /\[KUBE_FORBIDDEN\]/)
    })

    describe('--since', () => {
      const pod = { namespace: 'shop', name: 'web-old', uid: 'uid-old' }
      const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
      const since = async (...args: string[]) => cli().run(['-n', 'shop', ...args], await options())
      beforeEach(() => {
        api.companion.record({ op: '+', image: 'old:1', pod, time: ago(300), late: false })
        api.companion.record({ op: '-', image: 'old:1', pod, time: ago(60), late: false })
      })

      it('prints what is recorded since then, and ends', async () => {
        const { stdout, stderr, exitCode } = await since('--since', '2h', '--match', 'image', '^old')
        assert.equal(exitCode, 0)
        assert.deepEqual(lines(stdout), ['[-|image]  old:1  [shop|web-old]'])
        assert.match(stderr, /^1 change since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/)
      })

      it('keeps to what matches the image or the pod that made the difference', async () => {
        assert.deepEqual(lines((await since('--since', '1d', 'web-old')).stdout), [
          '[+|image]  old:1  [shop|web-old]',
          '[-|image]  old:1  [shop|web-old]',
        ])
        assert.match((await since('--since', '1d', 'zzz')).stderr, /^No changes since /)
      })

      it('says where its history begins later', async () => {
        api.companion.historyBegins = Date.UTC(2026, 10, 14)
        const { stderr } = await since('--since', '2026-11-01')
        assert.match(
          stderr,
          /^Warning: history begins at 2026-11-14T00:00:00Z\n\d+ changes since 2026-11-01T00:00:00Z\n$/,
        )
      })

      it('goes on with what comes, with --follow', async () => {
        await follow('--since', '2h', '--match', 'image', 'old|new')
        put('new', 'new:1')
        await running.waitFor('stdout', 'new:1')
        assert.deepEqual(await told(), ['[-|image]  old:1  [shop|web-old]', '[+|image]  new:1  [shop|new]'])
      })

      it('needs the companion, and says how to get it', async () => {
        api.uninstallCompanion()
        const { stdout, stderr, exitCode } = await since('--since', '2h')
        assert.equal(exitCode, 3)
        assert.equal(stdout, '')
        assert.match(stderr, /has no companion.* \[COMPANION_ABSENT\]\n.*kubectl deckwatch install\n$/)
      })
    })
  })
})
