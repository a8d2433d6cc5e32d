import assert from 'node:assert/strict'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { isList, isWatch } from '../kit/fake-api/fake-faults.ts'
import { buildPod, type PodPlan } from '../kit/fake-api/pod-builder.ts'
import type { RunningCli } from '../kit/run-cli.ts'

const TIME = String.raw`\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`

/** The lines without their time, whose form is checked: `INFO [+|image]  nginx:1.25  [shop|web-1]`. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      assert.match(line, new RegExp(`^${TIME} (?:INFO |DEBUG)\\] `))
      return line.replace(new RegExp(`^${TIME} (INFO|DEBUG) ?\\]`), '$1')
    })
}

describe('kubectl images --follow', () => {
  let api: FakeApi
  const put = (name: string, image: string, plan: PodPlan = {}): void =>
    void api.put(buildPod(name, { namespace: 'shop', uid: `uid-${name}`, containers: [image], ...plan }))
  const remove = (name: string): void => void api.remove('Pod', 'shop', name)

  beforeEach(async () => {
    api = await startFakeApi()
    put('web-1', 'nginx:1.25')
    put('web-2', 'nginx:1.25')
    put('job', 'ghcr.io/acme/report:1.4', { phase: 'Succeeded' })
  })
  afterEach(() => api.stop())

  describeForms('by', (cli) => {
    let running: RunningCli
    const follow = async (...args: string[]): Promise<RunningCli> => {
      const env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
      running = await cli().start(['-n', 'shop', '--follow', ...args], { env })
      await running.waitFor('stderr', 'following\n')
      // It says so when the list is whole, and watches a moment later.
      while (api.watches === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      return running
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

    it('prints the line of cluster-image-logger, byte for byte', async () => {
      await follow()
      put('new', 'Perl')
      await running.waitFor('stdout', 'Perl')
      const { stdout, stderr } = await running.kill('SIGINT')
      const last = stdout.split('\n').at(-2) ?? ''
      assert.match(last, new RegExp(`^${TIME} INFO \\] \\[\\+\\|image\\]  Perl  \\[shop\\|new\\]$`))
      assert.ok(Math.abs(Date.parse(last.slice(1, 21)) - Date.now()) < 60_000)
      assert.equal(stderr, '2 images in use by 3 pods; following\n')
    })

    it('says + when an image comes into use and - when the last pod with it has gone', async () => {
      await follow()
      put('web-3', 'nginx:1.25')
      remove('web-1')
      remove('web-3')
      await mark('still-in-use')
      remove('web-2')
      put('web-4', 'nginx:1.27')
      put('web-4', 'nginx:1.29')
      await mark('end')
      assert.deepEqual(await told(), [
        'INFO [+|image]  ghcr.io/acme/report:1.4  [shop|job]',
        'INFO [+|image]  nginx:1.25  [shop|web-1]',
        'INFO [-|image]  nginx:1.25  [shop|web-2]',
        'INFO [+|image]  nginx:1.27  [shop|web-4]',
        'INFO [+|image]  nginx:1.29  [shop|web-4]',
        'INFO [-|image]  nginx:1.27  [shop|web-4]',
      ])
    })

    it('tells of pods, and of further users, with --verbose', async () => {
      await follow('--verbose', '--no-initial')
      put('web-3', 'nginx:1.25')
      await running.waitFor('stdout', '[+=|image]')
      remove('web-3')
      await running.waitFor('stdout', '[-=|image]')
      await mark('end')
      assert.deepEqual(
        (await told()).filter((line) => !line.includes('mark-')),
        [
          'DEBUG [+|pod]  web-3  [shop]',
          'DEBUG [+=|image]  nginx:1.25  [shop|web-3]',
          'DEBUG [-|pod]  web-3  [shop]',
          'DEBUG [-=|image]  nginx:1.25  [shop|web-3]',
        ],
      )
    })

    it('prints events as JSON lines with -o json', async () => {
      await follow('-o', 'json', '--no-initial')
      put('new', 'a:1')
      await running.waitFor('stdout', '"+"')
      remove('new')
      await running.waitFor('stdout', '"-"')
      const { stdout } = await running.kill('SIGINT')
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { time: string })
      for (const { time } of events) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.deepEqual(
        events.map((event) => ({ ...event, time: undefined })),
        ['+', '-'].map((op) => ({
          apiVersion: 'deckwatch.dev/v1alpha1',
          kind: 'ImageEvent',
          op,
          image: 'a:1',
          pod: { namespace: 'shop', name: 'new', uid: 'uid-new' },
          time: undefined,
          late: false,
        })),
      )
    })

    it('leaves out what was there at the start with --no-initial, and still knows of it', async () => {
      await follow('--no-initial')
      put('web-3', 'nginx:1.25')
      remove('web-1')
      remove('web-2')
      await mark('still-in-use')
      remove('web-3')
      await mark('end')
      assert.deepEqual(await told(), ['INFO [-|image]  nginx:1.25  [shop|web-3]'])
    })

    it('counts finished pods, unless --running-only', async () => {
      await follow('--running-only')
      put('web-1', 'nginx:1.25', { phase: 'Failed' })
      put('web-2', 'nginx:1.25', { phase: 'Succeeded' })
      await mark('end')
      assert.deepEqual(await told(), [
        'INFO [+|image]  nginx:1.25  [shop|web-1]',
        'INFO [-|image]  nginx:1.25  [shop|web-2]',
      ])
    })

    it('keeps to REGEX, --match and -l', async () => {
      await follow('mark|report', '--match', 'image', '--no-initial')
      put('report-pod', 'other:1')
      remove('job')
      await mark('end')
      assert.deepEqual(await told(), ['INFO [-|image]  ghcr.io/acme/report:1.4  [shop|job]'])
      await follow('-l', 'app=web-1')
      assert.equal(api.requests.findLast(isWatch)?.query.get('labelSelector'), 'app=web-1')
      assert.deepEqual(await told(), ['INFO [+|image]  nginx:1.25  [shop|web-1]'])
    })

    it('says nothing of a watch that the server ends in good order, and misses nothing', async () => {
      await follow('--no-initial')
      api.endWatches()
      put('new', 'a:1')
      await mark('end')
      const { stderr, stdout } = await running.kill('SIGINT')
      assert.deepEqual(lines(stdout)[0], 'INFO [+|image]  a:1  [shop|new]')
      assert.equal(stderr, '2 images in use by 3 pods; following\n')
    })

    const outages: readonly (readonly [what: string, spoil: () => unknown, relists: boolean])[] = [
      ['a lost connection', () => api.dropConnections(), false],
      [
        '429 with Retry-After',
        () => {
          api.faults.next(isWatch, { kind: 'status', status: 429, retryAfterSeconds: 1 })
          api.dropConnections()
        },
        false,
      ],
      [
        '503',
        () => {
          api.faults.next(isWatch, { kind: 'status', status: 503, reason: 'ServiceUnavailable' })
          api.dropConnections()
        },
        false,
      ],
      [
        '401, as when a token ends',
        () => {
          api.faults.next(isWatch, { kind: 'status', status: 401, reason: 'Unauthorized' })
          api.dropConnections()
        },
        false,
      ],
      [
        'half a line',
        () => {
          api.faults.next(isWatch, { kind: 'garbage' })
          api.endWatches()
        },
        true,
      ],
      [
        '410 as an answer',
        () => {
          api.faults.next(isWatch, { kind: 'status', status: 410, reason: 'Expired' })
          api.endWatches()
        },
        true,
      ],
      [
        '410 in the stream, and a relist that fails once',
        () => {
          api.faults.next(isList, { kind: 'status', status: 500, reason: 'InternalError' })
          api.expire()
          api.endWatches()
        },
        true,
      ],
    ]
    for (const [what, spoil, relists] of outages) {
      it(`goes on after ${what} with what really changed, and says so on stderr`, async () => {
        await follow('--no-initial')
        const seen = api.requests.length
        // What comes and goes within the outage, or only changes its users, is no news after a relist.
        remove('web-1')
        spoil()
        put('web-3', 'nginx:1.27')
        remove('job')
        await running.waitFor('stderr', 'resumed')
        await mark('end')
        const { stdout, stderr, exitCode } = await running.kill('SIGINT')
        assert.equal(exitCode, 130)
        assert.deepEqual(
          lines(stdout)
            .filter((line) => !line.includes('mark:'))
            .toSorted(),
          ['INFO [+|image]  nginx:1.27  [shop|web-3]', 'INFO [-|image]  ghcr.io/acme/report:1.4  [shop|job]'],
        )
        assert.match(
          stderr,
          /^2 images in use by 3 pods; following\n\d\d:\d\d:\d\dZ the watch was lost \(.+\); trying again\n(?:\d\d:\d\d:\d\dZ still no watch: .+\n)*not watching \d\d:\d\d:\d\dZ–\d\d:\d\d:\d\dZ; resumed.*\n$/,
        )
        assert.equal(api.requests.slice(seen).some(isList), relists)
        const ending = relists
          ? '; resumed with a new list: what came and went in between is not told\n'
          : '; resumed, nothing missed\n'
        assert.ok(stderr.endsWith(ending), stderr)
      })
    }

    it('goes on after the API server was gone, and marks what it sees late in JSON', async () => {
      await follow('--no-initial', '-o', 'json')
      await api.down()
      await running.waitFor('stderr', 'trying again')
      put('web-3', 'nginx:1.27')
      remove('web-1')
      remove('web-2')
      api.expire()
      await api.up()
      await running.waitFor('stderr', 'resumed')
      await mark('end')
      const { stdout } = await running.kill('SIGINT')
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { op: string; image: string; late: boolean })
        .map(({ op, image, late }) => `${op} ${image} ${late ? 'late' : 'in time'}`)
      assert.deepEqual(events.slice(0, 2).toSorted(), ['+ nginx:1.27 late', '- nginx:1.25 late'])
      assert.deepEqual(events.slice(2), ['+ mark:end in time'])
    })

    it('waits where the first list is answered with 429', async () => {
      api.faults.next(isList, { kind: 'status', status: 429, retryAfterSeconds: 0 })
      await follow()
      assert.deepEqual((await told()).toSorted(), [
        'INFO [+|image]  ghcr.io/acme/report:1.4  [shop|job]',
        'INFO [+|image]  nginx:1.25  [shop|web-1]',
      ])
    })

    it('follows an empty namespace', async () => {
      for (const name of ['web-1', 'web-2', 'job']) remove(name)
      await follow()
      await mark('first')
      assert.equal(running.stderr, '0 images in use by 0 pods; following\n')
      assert.deepEqual(await told(), [])
    })
  })
})
