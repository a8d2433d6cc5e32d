import assert from 'node:assert/strict'
import { FollowView, type FollowOptions } from '../../../src/cli/features/blame/follow-view.ts'
import type { ChangesPage } from '../../../src/cli/features/blame/ports.ts'
import { createBlameStream } from '../../../src/cli/render/blame-list.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { change, NOW, replaced, utcCalendar } from './changes.ts'
import { lines } from './screen.ts'

function viewOf(options: Partial<FollowOptions> = {}, seen: readonly Change[] = []): FollowView {
  const base: FollowOptions = {
    subject: 'deployment/web in shop',
    matches: () => true,
    single: true,
    allNamespaces: false,
    wide: false,
    calendar: utcCalendar,
  }
  return new FollowView({ ...base, ...options }, seen, NOW)
}

const record = (seed: Parameters<typeof change>[0]) => ({ type: 'record' as const, record: change(seed) })

const page = (changes: readonly Change[], gaps: ChangesPage['gaps'] = []): ChangesPage => ({
  changes,
  gaps,
  recordingSince: '',
  resourceVersion: '9',
  warnings: [],
})

describe('changes as they come', () => {
  it('are rows with the time of the day, in columns that stay where they are', () => {
    const view = viewOf()
    const stream = createBlameStream({ titles: view.titles, shortened: 'shortened to fit' }, { width: 100 })
    const image = 'spec.template.spec.containers[name=app].image'
    const written = [
      record({ id: '1-1', ago: -1 }),
      record({
        id: '1-2',
        ago: -2,
        user: 'somebody.with.a.rather.long.name@example.org',
        changes: [replaced(image, 'nginx:1.24', `nginx:1.25@sha256:${'a'.repeat(64)}`)],
      }),
    ].map((notice) => stream.write(view.take(notice, NOW).items))
    assert.equal(
      written.join(''),
      lines(`
        11:01:00  dev-1@example.org             kubectl-edit    scaled 3 → 6
        11:02:00  somebody.with.a.rather.long.  kubectl-edit    containers[app].image
                  name@example.org                                nginx:1.24 → nginx:1.25@sha256:aaaaaaaaaa…
      `),
    )
    assert.deepEqual(stream.footer(), ['… = shortened to fit'])
    assert.deepEqual(stream.footer(), [])
  })

  it('name their objects where several are followed', () => {
    assert.deepEqual(viewOf({ single: false }).titles, ['TIME', 'OBJECT', 'WHO', 'CHANGE'])
    const { items } = viewOf({ single: false, allNamespaces: true }).take(record({ ago: 0 }), NOW)
    assert.deepEqual(items[0]?.type === 'row' && items[0].cells, [
      '11:00:00',
      'shop/deployment/web',
      'dev-1@example.org',
    ])
  })

  it('are told once, and once more where they were confirmed later', () => {
    const view = viewOf({}, [change({ id: '1-1' })])
    assert.deepEqual(view.take(record({ id: '1-1' }), NOW).items, [])
    const admitted = view.take(record({ id: '1-2', ago: 0, state: 'admitted' }), NOW)
    const confirmed = view.take(record({ id: '1-2', ago: 0 }), NOW)
    const last = ({ items }: typeof admitted) => items[0]?.type === 'row' && items[0].lines.at(-1)?.lead
    assert.equal(last(admitted), 'not confirmed')
    assert.equal(last(confirmed), 'confirmed now')
    assert.deepEqual(confirmed.changes.length, 1)
  })

  it('are left out where they are not meant', () => {
    const view = viewOf({ matches: ({ operation }) => operation === 'DELETE' })
    assert.deepEqual(view.take(record({ id: '1-1' }), NOW), { items: [], changes: [], notes: [] })
    assert.equal(view.take(record({ id: '1-2', operation: 'DELETE', changes: [] }), NOW).items.length, 1)
  })

  it('come with a word on how the stream fares', () => {
    const view = viewOf()
    const notes = (notice: Parameters<FollowView['take']>[0]) => view.take(notice, NOW).notes
    const at = NOW + 90_000
    assert.deepEqual(notes({ type: 'watching' }), ['following deployment/web in shop'])
    assert.deepEqual(notes({ type: 'interrupted', at: NOW, reason: 'reset' }), [
      '11:00:00 the watch was lost (reset); trying again',
    ])
    assert.deepEqual(notes({ type: 'failing', at, reason: 'refused' }), ['11:01:30 still no watch: refused'])
    assert.deepEqual(notes({ type: 'resumed', at, downMs: 90_000, how: 'watch' }), [
      'not watching 11:00:00–11:01:30; resumed, nothing recorded is missed',
    ])
    assert.deepEqual(notes({ type: 'resumed', at, downMs: 90_000, how: 'relist' }), [
      'not watching 11:00:00–11:01:30; resumed with a new list: what is in it follows',
    ])
    assert.deepEqual(notes({ type: 'lost', at, reason: 'not found' }), [
      '11:01:30 the companion is gone (not found): nothing more is told',
    ])
  })

  it('are taken from a new list where the place was lost: what is new in it, the oldest first, and its gaps', () => {
    const seen = change({ id: '1-5', ago: 1, state: 'admitted' })
    const view = viewOf({}, [seen])
    const gaps = [
      { from: '2026-11-21T11:01:00Z', to: '2026-11-21T11:02:00Z', reason: 'companion restarted' },
      { from: '2026-11-21T09:00:00Z', to: '2026-11-21T09:02:00Z', reason: 'long ago' },
    ]
    const list = page(
      [
        change({ id: '1-8', ago: -3 }),
        change({ id: '1-7', ago: -2 }),
        change({ id: '1-5', ago: 1 }),
        change({ id: '1-2', ago: 500 }),
      ],
      gaps,
    )
    const told = view.take({ type: 'relisted', list }, NOW + 240_000)
    assert.deepEqual(
      told.changes.map(({ metadata }) => metadata?.name),
      ['1-5', '1-7', '1-8'],
    )
    assert.deepEqual(told.notes, ['not recording 11:01–11:02 (companion restarted)'])
  })

  it('have the gap before what was done in it, once, where no notice tells of it', () => {
    const view = viewOf()
    const nameless = (id: string, ago: number) => record({ id, ago, user: null, state: 'unattributed' })
    assert.equal(view.gapsWanted(record({ id: '1-1', ago: -1 })), undefined)
    assert.equal(view.gapsWanted(nameless('1-2', -2)), NOW)
    const gaps = [
      { from: '2026-11-21T11:01:00Z', to: '2026-11-21T11:02:00Z', reason: 'companion restarted' },
      { from: '2026-11-21T09:00:00Z', to: '2026-11-21T09:02:00Z', reason: 'shown by the list before' },
    ]
    const later = NOW + 180_000
    assert.deepEqual(view.gaps(gaps, later), ['not recording 11:01–11:02 (companion restarted)'])
    assert.equal(view.gapsWanted(nameless('1-3', -2)), undefined)
    assert.equal(view.gapsWanted(nameless('1-4', -4)), later)
    assert.deepEqual(view.gaps(gaps, later), [])
    const others = viewOf({ matches: () => false })
    assert.equal(others.gapsWanted(nameless('1-2', -2)), undefined)
  })
})
