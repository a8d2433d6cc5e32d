import assert from 'node:assert/strict'
import type { CompanionPorts } from '../../../src/cli/features/images/companion-ports.ts'
import { historyColumns, historyNotes } from '../../../src/cli/features/images/history-lines.ts'
import {
  imageHistory,
  parseHistoryImage,
  type HistoryQuery,
} from '../../../src/cli/features/images/image-history.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { imageList, usageCounts } from '../../../src/core/model/image-objects.ts'
import { Placements } from '../../../src/core/model/image-usage.ts'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import { digest, use, webPod } from './pods.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const MINUTE = 60_000
const PINNED = `nginx:1.25@${digest(1)}`

/** An event so many minutes ago. */
function event(op: '+' | '-', image: string, ago: number, late = false): ImageEvent {
  const number = String(1_000_000 - ago)
  return {
    apiVersion: 'deckwatch.dev/v1alpha1',
    kind: 'ImageEvent',
    metadata: { name: number, namespace: 'shop', resourceVersion: number },
    op,
    image,
    pod: { namespace: 'shop', name: `web-${ago}`, uid: `uid-${ago}` },
    time: new Date(NOW - ago * MINUTE).toISOString(),
    late,
  }
}

const recorded = [
  event('+', 'nginx:1.25', 3000, true),
  event('+', 'redis:7', 2000),
  event('+', 'docker.io/library/nginx:1.25', 1000),
  event('-', 'nginx:1.25', 500),
  event('+', 'nginx', 90),
  event('+', PINNED, 30),
  event('+', 'quay.io/acme/nginx:1.25', 20),
]

/** A companion that recorded these events, with these images in use. */
function companion(events: readonly ImageEvent[], inUse: readonly string[] = []): CompanionPorts {
  const placements = new Placements({})
  for (const [i, image] of inUse.entries()) placements.add(webPod(`p${i}`, [use('app', image)]))
  const items = imageList(placements.all, undefined, 'shop').items.map((object) => ({
    ...object,
    lastChange: {
      op: '+' as const,
      time: new Date(NOW - 9 * 24 * 60 * MINUTE).toISOString(),
      namespace: 'shop',
      pod: 'web-old',
      uid: '',
      late: false,
    },
  }))
  const summary = { ...usageCounts(placements.all), images: items.length }
  return {
    listImages: async () => ({ items, summary, resourceVersion: '9', warnings: [] }),
    async *listEvents() {
      const half = Math.ceil(events.length / 2)
      const warnings = ['the history of images begins at 2026-11-14T00:00:00Z']
      yield { events: events.slice(0, half), resourceVersion: '9', warnings }
      yield { events: events.slice(half), resourceVersion: '9', warnings }
    },
    followEvents: () => assert.fail('history follows nothing'),
  }
}

async function ask(text: string, ports: CompanionPorts, over: Partial<HistoryQuery> = {}) {
  const query: HistoryQuery = { ...parseHistoryImage(text), since: 0, limit: undefined, ...over }
  const history = await imageHistory(ports, query, new AbortController().signal)
  return { history, notes: historyNotes(history, query, { allNamespaces: false, now: NOW }) }
}

async function found(text: string, over: Partial<HistoryQuery> = {}): Promise<string[]> {
  const { history } = await ask(text, companion(recorded), over)
  return history.events.map(({ op, image }) => `${op} ${image}`)
}

describe('the history of an image', () => {
  const all = [`+ ${PINNED}`, '+ nginx', '- nginx:1.25', '+ docker.io/library/nginx:1.25', '+ nginx:1.25']
  const withTag = [`+ ${PINNED}`, '- nginx:1.25', '+ docker.io/library/nginx:1.25', '+ nginx:1.25']

  for (const spelling of ['nginx:1.25', 'docker.io/nginx:1.25', 'index.docker.io/library/nginx:1.25']) {
    it(`finds every spelling by ${spelling}, the newest first`, async () => {
      assert.deepEqual(await found(spelling), withTag)
    })
  }

  it('means every tag where none is given', async () => assert.deepEqual(await found('nginx'), all))

  it('means one where it is given, also the one that is left out in pods', async () => {
    assert.deepEqual(await found('nginx:latest'), ['+ nginx'])
  })

  it('means a digest alone, whatever the tag', async () => {
    assert.deepEqual(await found(`docker.io/nginx@${digest(1)}`), [`+ ${PINNED}`])
    assert.deepEqual(await found(`nginx@${digest(2)}`), [])
  })

  it('tells a registry with a port from a tag', async () => {
    assert.equal(parseHistoryImage('registry:5000/web').anyTag, true)
    assert.equal(parseHistoryImage('registry:5000/web:1').anyTag, false)
  })

  it('compares what is no image reference as it is written', async () => {
    const events = [event('+', 'Not:A:Reference', 5), event('+', 'Not', 4)]
    const { history } = await ask('Not:A:Reference', companion(events))
    assert.deepEqual(
      history.events.map(({ image }) => image),
      ['Not:A:Reference'],
    )
  })

  it('shows the newest few, and says of how many', async () => {
    const { history, notes } = await ask('nginx', companion(recorded, ['nginx:1.25']), { limit: 2 })
    assert.deepEqual(
      history.events.map(({ image }) => image),
      [PINNED, 'nginx'],
    )
    assert.deepEqual(notes, [
      '2 of 5 changes of docker.io/library/nginx, newest first; in use here now.',
      'the history of images begins at 2026-11-14T00:00:00Z',
    ])
  })

  it('marks what was seen late, and names the image where rows differ in it', async () => {
    const { history, notes } = await ask('nginx:1.25', companion(recorded))
    const columns = historyColumns(history.events, { allNamespaces: false, wide: false, now: NOW })
    assert.deepEqual(
      columns.map(({ header }) => header),
      ['AGE', 'OP', 'IMAGE', 'POD'],
    )
    assert.deepEqual(
      history.events.map((each) => columns.map(({ cell }) => cell(each)).join(' ')).at(-1),
      '~2d2h + nginx:1.25 web-3000',
    )
    assert.deepEqual(notes.slice(0, 2), [
      '4 changes of docker.io/library/nginx:1.25, newest first; not in use here now.',
      '~ = seen only after a time in which nobody was watching',
    ])
    const one = historyColumns(recorded.slice(0, 1), { allNamespaces: true, wide: false, now: NOW })
    assert.deepEqual(
      one.map(({ header }) => header),
      ['AGE', 'OP', 'NAMESPACE', 'POD'],
    )
  })

  it('says of an image in use that nothing changed about it, since when', async () => {
    const { notes } = await ask('redis:6', companion(recorded, ['redis:6']))
    assert.deepEqual(notes.slice(0, 2), [
      'No change of docker.io/library/redis:6 is recorded here.',
      'redis:6 is in use by 1 pod: it came 9d ago with pod web-old.',
    ])
  })

  it('names what a person may have meant where there is nothing', async () => {
    const { notes } = await ask('web', companion([], ['ghcr.io/acme/web:1', 'ghcr.io/acme/web:2', 'redis:7']))
    assert.equal(notes[1], 'It is not in use either; in use are ghcr.io/acme/web')
    const nothing = await ask('web', companion([]), { since: NOW - MINUTE })
    assert.deepEqual(nothing.notes.slice(0, 2), [
      'No change of docker.io/library/web is recorded here since 2026-11-21T11:59:00Z.',
      'It is not in use either; -A looks in all namespaces.',
    ])
  })

  it('does without the images in use where they may not be listed', async () => {
    const listImages = async (): Promise<never> => {
      throw new DeckError('KUBE_FORBIDDEN', 'told by the test')
    }
    const { notes } = await ask('redis', { ...companion(recorded), listImages })
    assert.equal(notes[0], '1 change of docker.io/library/redis, newest first.')
  })
})
