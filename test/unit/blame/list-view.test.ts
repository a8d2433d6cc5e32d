import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { displayWidth } from '../../../src/core/lib/text.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { userNamed } from '../../kit/sample-change.ts'
import { change, replaced, type ChangeSeed } from './changes.ts'
import { lines, listText } from './screen.ts'

const IMAGE = 'spec.template.spec.containers[name=app].image'
const DELETED: ChangeSeed = { operation: 'DELETE', changes: [{ path: '', op: 'remove', from: {} }] }
const GAP = { from: '2026-11-21T10:20:00Z', to: '2026-11-21T10:31:00Z', reason: 'companion restarted' }

/** Two people, one of them by a GitOps tool, and a change of which nobody knows whose it is. */
const HISTORY: readonly Change[] = [
  change({
    id: '1-9',
    ago: 4,
    changes: [replaced(IMAGE, 'nginx:1.24', 'nginx:1.25'), replaced('spec.replicas', 3, 6)],
  }),
  change({
    id: '1-8',
    ago: 38,
    user: null,
    state: 'unattributed',
    via: { manager: 'helm', tool: 'helm' },
    changes: [replaced('spec.template.spec.containers[name=app].resources.limits.memory', '256Mi', '512Mi')],
  }),
  change({
    id: '1-7',
    ago: 125,
    user: 'system:serviceaccount:argocd:argocd-application-controller',
    via: {
      manager: 'argocd-controller',
      tool: 'argo-cd',
      source: 'Application argocd/shop',
      revision: `9f3c2e1${'a'.repeat(33)}`,
      initiatedBy: 'dev-2@example.org',
    },
    changes: [replaced('spec.template.spec.containers[name=app].env[name=LOG_LEVEL].value', 'info', 'debug')],
  }),
]

const extra = { recordingSince: '2026-11-12T08:00:00Z', kept: 41, gaps: [GAP] }

const CONTROLLER = 'system:serviceaccount:argocd:argocd-application-controller'

describe('the list of one object', () => {
  it('names the tool behind an account, and the subresource where no manager is known', () => {
    const changes = [
      change({ ago: 4, user: CONTROLLER, via: { tool: 'argo-cd', source: 'Application argocd/shop' } }),
      change({ ago: 5, object: { subresource: 'scale' }, via: { manager: '', tool: '' } }),
    ]
    assert.equal(
      listText({ changes, extra: { ...extra, gaps: [] }, perObject: undefined }),
      lines(`
        deployment/web in shop: 2 of 41 changes, newest first; recording since 12 Nov
        AGE  WHO                                   VIA            CHANGE
        4m   argocd/argocd-application-controller  Argo CD: shop  scaled 3 → 6
        5m   dev-1@example.org                     /scale         scaled 3 → 6
        2> More: -f diff, -f yaml (a name at each line), --max-history 0 (all), -o wide (ids)
      `),
    )
  })

  it('tells who did what and how long ago, on whose behalf, and when nobody was looking', () => {
    assert.equal(
      listText({ changes: HISTORY, extra }),
      lines(`
        deployment/web in shop: 3 of 41 changes, newest first; recording since 12 Nov
        AGE   WHO                            VIA           CHANGE
        4m    dev-1@example.org              kubectl-edit  scaled 3 → 6
                                                           containers[app].image  nginx:1.24 → nginx:1.25
        -- not recording 10:20–10:31 (companion restarted); 1 change without a name:
        38m   ? (manager: helm)                            containers[app].resources.limits.memory
                                                             256Mi → 512Mi
        125m  dev-2@example.org via Argo CD  shop@9f3c2e1  containers[app].env[LOG_LEVEL].value
                                                             info → debug
        2> More: -f diff, -f yaml (a name at each line), --max-history 0 (all), -o wide (ids)
      `),
    )
  })

  it('can be turned round, say moments in full and name the changes', () => {
    assert.equal(
      listText({ changes: HISTORY, extra, reverse: true, wide: true, time: 'full' }, { width: 140 }),
      lines(`
        deployment/web in shop: 3 of 41 changes, oldest first; recording since 12 Nov
        TIME                 WHO                            VIA           ID   CHANGE
        2026-11-21 08:55:00  dev-2@example.org via Argo CD  shop@9f3c2e1  1-7  containers[app].env[LOG_LEVEL].value  info → debug
        -- not recording 10:20–10:31 (companion restarted); 1 change without a name:
        2026-11-21 10:22:00  ? (manager: helm)                            1-8  containers[app].resources.limits.memory  256Mi → 512Mi
        2026-11-21 10:56:00  dev-1@example.org              kubectl-edit  1-9  scaled 3 → 6
                                                                               containers[app].image  nginx:1.24 → nginx:1.25
        2> More: -f diff, -f yaml (a name at each line), --max-history 0 (all)
      `),
    )
  })

  it('wraps names on a narrow screen, and has rows below one another on a very narrow one', () => {
    assert.equal(
      listText({ changes: HISTORY, extra }, { width: 72 }),
      lines(`
        deployment/web in shop: 3 of 41 changes, newest first; recording since
        12 Nov
        AGE   WHO           VIA           CHANGE
        4m    dev-1         kubectl-edit  scaled 3 → 6
              @example.org                containers[app].image
                                            nginx:1.24 → nginx:1.25
        -- not recording 10:20–10:31 (companion restarted); 1 change without a
           name:
        38m   ? (manager:                 containers
              helm)                       [app].resources.limits.memory
                                            256Mi → 512Mi
        125m  dev-2         shop@9f3c2e1  containers[app].env[LOG_LEVEL].value
              @example.org                  info → debug
              via Argo CD
        2> More: -f diff, -f yaml (a name at each line), --max-history 0 (all), -o
        2> wide (ids)
      `),
    )
    assert.equal(
      listText({ changes: HISTORY.slice(0, 1), extra }, { width: 44, noHeaders: true }),
      lines(`
        4m  dev-1@example.org  kubectl-edit
          scaled 3 → 6
          containers[app].image
            nginx:1.24 → nginx:1.25
      `),
    )
  })

  it('says when an object was deleted and made anew', () => {
    const template = { spec: { containers: [{ image: 'nginx:1.25' }, { image: 'envoy:1' }] } }
    const created: ChangeSeed = {
      operation: 'CREATE',
      object: { uid: 'another-uid' },
      changes: [{ path: '', op: 'add', to: { spec: { replicas: 3, template } } }],
    }
    assert.equal(
      listText({
        perObject: undefined,
        extra: { ...extra, kept: 3, gaps: [] },
        changes: [change({ ago: 3, ...created }), change({ ago: 5, ...DELETED }), change({ ago: 200 })],
      }),
      lines(`
        deployment/web in shop: 3 changes, newest first; recording since 12 Nov
        AGE    WHO                VIA           CHANGE
        3m     dev-1@example.org  kubectl-edit  created anew (new uid): nginx:1.25, envoy:1, 3 replicas
        5m     dev-1@example.org  kubectl-edit  deleted
        3h20m  dev-1@example.org  kubectl-edit  scaled 3 → 6
        2> More: -f diff, -f yaml (a name at each line), -o wide (ids)
      `),
    )
    const unseen = [change({ ago: 3, object: { uid: 'another-uid' } }), change({ ago: 5 })]
    const note = '-- what is older was another object of this name'
    const newestFirst = listText({ changes: unseen }).split('\n')
    assert.equal(newestFirst.indexOf(note), 3)
    assert.equal(listText({ changes: unseen, reverse: true }).split('\n').indexOf(note), 3)
  })

  it('says of a change that is not simply done what is known of it', () => {
    const token = replaced('data.token', 'redacted:0123456789abcdef', 'redacted:0123456789abcdee')
    const reason = 'exceeded quota: pods, requested: pods=1, used: pods=10, limited: pods=10'
    assert.equal(
      listText({
        changes: [
          change({ ago: 1, state: 'admitted', object: { kind: 'Secret' }, changes: [token] }),
          change({ ago: 2, state: 'pending' }),
          change({ ago: 3, state: 'superseded' }),
          change({ ago: 4, state: 'not-landed', reason }),
          change({
            ago: 5,
            state: 'ambiguous',
            candidates: [userNamed('a@example.org'), userNamed('system:serviceaccount:ci:deployer')],
          }),
          change({ ago: 6, state: 'unattributed', user: null, via: { manager: '', tool: '' } }),
          change({
            ago: 7,
            state: 'admitted',
            operation: 'CONNECT',
            object: { subresource: 'exec' },
            changes: [],
          }),
        ],
      }),
      lines(`
        deployment/web in shop: 7 of 41 changes, newest first; recording since 12 Nov
        AGE  WHO                                 VIA           CHANGE
        60s  dev-1@example.org                   kubectl-edit  data.token  *** → *** (changed)
                                                               not confirmed
        2m   dev-1@example.org                   kubectl-edit  scaled 3 → 6
                                                               not confirmed yet
        3m   dev-1@example.org                   kubectl-edit  a try that was repeated
                                                               scaled 3 → 6
        4m   dev-1@example.org                   kubectl-edit  did NOT land: exceeded quota: pods,
                                                               requested: pods=1, used: pods=10, limited:
                                                               pods=10
                                                               scaled 3 → 6
        5m   one of: a@example.org, ci/deployer  kubectl-edit  scaled 3 → 6
        6m   ?                                                 scaled 3 → 6
        7m   dev-1@example.org                   kubectl-edit  asked to run a command (exec)
        2> More: -f diff, -f yaml (a name at each line), --max-history 0 (all), -o wide (ids)
      `),
    )
  })

  it('shortens values where they are alike and says so, but no name of a user or a field', () => {
    const registry = 'registry.internal.example.com:5000/platform/payments/checkout@sha256:'
    const variable =
      'spec.template.spec.containers[name=a-sidecar-with-a-very-long-name-indeed].env[name=SOME_VERY_LONG_VARIABLE_NAME].value'
    assert.equal(
      listText({
        changes: [
          change({
            ago: 1,
            user: 'first.second-name.and.some.more@engineering.corporate.example.org',
            changes: [
              replaced(IMAGE, registry + 'a'.repeat(64), registry + 'b'.repeat(64)),
              replaced('data["app.conf"]', 'x'.repeat(300), `${'x'.repeat(300)}y`),
              replaced(variable, 'on', 'off'),
            ],
          }),
        ],
      }),
      lines(`
        deployment/web in shop: 1 of 41 changes; recording since 12 Nov
        AGE  WHO                                  VIA           CHANGE
        60s  first.second-name.and.some.more      kubectl-edit  containers[app].image
             @engineering.corporate.example.org                   …256:aaaaaaaaaaaaa… → …a256:bbbbbbbbbbbbb…
                                                                data[app.conf]
                                                                  …xxxxxxxxxxxxxxxxxx → …xxxxxxxxxxxxxxxxxxy
                                                                containers
                                                                [a-sidecar-with-a-very-long-name-indeed].env
                                                                [SOME_VERY_LONG_VARIABLE_NAME].value
                                                                  on → off
        2> More: -f diff, -f yaml (a name at each line), --max-history 0 (all), -o wide (ids)
        2> … = shortened to fit; in whole: -f patch
      `),
    )
  })

  it('shows every change of a long history, and counts the fields of a large one', () => {
    const many = Array.from({ length: 200 }, (_, i) => change({ id: `1-${i}`, ago: i + 1 }))
    const text = listText({ changes: many, perObject: undefined, extra: { ...extra, kept: 200 } })
    assert.match(text, /^deployment\/web in shop: 200 changes, newest first/)
    assert.equal(text.match(/scaled 3 → 6/g)?.length, 200)

    const fields = Array.from({ length: 200 }, (_, i) => replaced(`data.key${i}`, i, i + 1))
    const shown = listText({ changes: [change({ changes: fields })] })
    assert.match(shown, /data\.key11 {2}11 → 12\n +\+ 188 more fields \(-o wide\)\n/)
    assert.match(listText({ changes: [change({ changes: fields })], wide: true }), /data\.key199 /)
  })

  it('offers the rest only where there is one', () => {
    const all = /--max-history 0/
    const two = HISTORY.slice(0, 2)
    assert.match(listText({ changes: HISTORY }), all)
    assert.doesNotMatch(listText({ changes: HISTORY, extra: { ...extra, kept: 3 } }), all)
    assert.match(listText({ changes: HISTORY, filtered: true }), all)
    assert.doesNotMatch(listText({ changes: two, filtered: true }), all)
    assert.doesNotMatch(listText({ changes: two, filtered: true, perObject: undefined }), all)
  })

  it('says that there is nothing, and when nobody was looking', () => {
    assert.equal(
      listText({ extra: { recordingSince: '2026-11-21T08:00:00Z', kept: 0, gaps: [GAP] } }),
      lines(`
        deployment/web in shop: no change recorded; recording since 08:00
        -- not recording 10:20–10:31 (companion restarted)
      `),
    )
    assert.equal(
      listText({ filtered: true }),
      'deployment/web in shop: no change matches; 41 recorded in all; recording since 12 Nov\n',
    )
  })

  it('shows gaps before the first change only where nothing older is left out', () => {
    const old = { from: '2026-11-19T10:00:00Z', to: '2026-11-19T10:10:00Z', reason: 'node drained' }
    const withOld = { ...extra, gaps: [old] }
    const drained = /node drained/
    assert.doesNotMatch(listText({ changes: HISTORY, extra: withOld }), drained)
    assert.match(
      listText({ changes: HISTORY, extra: { ...withOld, kept: 3 }, perObject: undefined }),
      drained,
    )
    const made = change({ ago: 300, operation: 'CREATE', changes: [] })
    assert.doesNotMatch(
      listText({ changes: [...HISTORY, made], extra: { ...withOld, kept: 4 }, perObject: undefined }),
      drained,
    )
  })
})

describe('the list of several objects', () => {
  const changes = [
    ...HISTORY,
    change({
      ago: 600,
      ...DELETED,
      object: { name: 'web', namespace: 'pay', namespaceUid: 'pay-uid', uid: 'other' },
    }),
  ]

  it('goes by object, with what says something of each', () => {
    const lasting = { from: '2026-11-21T10:58:30Z', reason: 'webhook was removed' }
    assert.equal(
      listText({
        subject: 'deployments in all namespaces',
        single: false,
        allNamespaces: true,
        changes,
        extra: { ...extra, gaps: [GAP, lasting] },
      }),
      lines(`
        deployments in all namespaces: 2 objects, up to 3 changes each, newest first; recording since 12 Nov
          AGE   WHO                            VIA           CHANGE
        -- not recording since 10:58 (webhook was removed)
        shop/deployment/web
          4m    dev-1@example.org              kubectl-edit  scaled 3 → 6
                                                             containers[app].image  nginx:1.24 → nginx:1.25
          -- not recording 10:20–10:31 (companion restarted); 1 change without a name:
          38m   ? (manager: helm)                            containers[app].resources.limits.memory
                                                               256Mi → 512Mi
          125m  dev-2@example.org via Argo CD  shop@9f3c2e1  containers[app].env[LOG_LEVEL].value
                                                               info → debug
        pay/deployment/web  deleted
          10h   dev-1@example.org              kubectl-edit  deleted
        2> More: -f diff, --since 24h, -o wide (ids)
      `),
    )
  })

  it('is one timeline with a column of objects where each has one change', () => {
    assert.equal(
      listText({
        subject: 'deployments in all namespaces',
        single: false,
        allNamespaces: true,
        perObject: 1,
        changes: [changes[0], changes[3]].filter((one) => one !== undefined),
        extra,
      }),
      lines(`
        deployments in all namespaces: latest change of each of 2 objects; recording since 12 Nov
        AGE  OBJECT               WHO                CHANGE
        4m   shop/deployment/web  dev-1@example.org  scaled 3 → 6
                                                     containers[app].image  nginx:1.24 → nginx:1.25
        -- not recording 10:20–10:31 (companion restarted)
        10h  pay/deployment/web   dev-1@example.org  deleted
        2> More: -f diff, --max-history 3, --since 24h, -o wide (ids)
      `),
    )
  })
})

describe('the list without a companion', () => {
  const owned = (seed: ChangeSeed): Change => {
    const { metadata: _, user: __, ...rest } = change({ ...seed, user: null, state: 'unattributed' })
    return rest
  }
  const changes = [
    owned({
      ago: 3000,
      via: { manager: 'kubectl-client-side-apply' },
      changes: [
        { path: 'metadata.labels.app', op: 'replace', to: 'web' },
        { path: 'spec.progressDeadlineSeconds', op: 'replace', to: 600 },
        { path: 'spec.strategy.type', op: 'replace', to: 'RollingUpdate' },
        { path: 'spec.template.spec.containers[name=app].resources', op: 'replace', to: {} },
        { path: 'spec.revisionHistoryLimit', op: 'replace', to: 3 },
        { path: IMAGE, op: 'replace', to: 'nginx:1.25' },
      ],
    }),
    {
      ...owned({
        via: { manager: 'kubectl' },
        object: { subresource: 'scale' },
        changes: [{ path: 'spec.replicas', op: 'replace', to: 3 }],
      }),
      time: '',
    },
  ]

  it('has field managers, what they own as it is today, and a question where there is no time', () => {
    assert.equal(
      listText({ changes, extra: { recordingSince: '', gaps: [] } }),
      lines(`
        deployment/web in shop: last writes by field manager, newest first
        AGE   MANAGER                    CHANGE
        2d2h  kubectl-client-side-apply  containers[app].image  = nginx:1.25
                                         revisionHistoryLimit   = 3
                                         metadata.labels.app    = web
                                         + 3 defaults (-o wide)
        ?     kubectl (/scale)           replicas  = 3
        2> More: -f yaml (a name at each line), -o wide (all fields)
      `),
    )
    const wide = listText({ changes, extra: { recordingSince: '', gaps: [], kept: 5 }, wide: true })
    assert.match(wide, /: last writes by 2 of 5 field managers, newest first\n/)
    assert.match(wide, /containers\[app\]\.resources +=/)
    assert.match(wide, /--max-history 0 \(all\)/)
  })
})

describe('any list', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.stringMatching(/^[a-z0-9.@:/-]{1,90}$/),
    fc.constantFrom('\u001b[2J', '\u202eoverride', '🚀'.repeat(30), '部署'.repeat(20), ''),
  )
  const field = fc.record({
    path: fc.constantFrom(IMAGE, 'spec.replicas', 'data["a b"]', `metadata.labels["${'x'.repeat(120)}"]`),
    op: fc.constant('replace' as const),
    from: fc.oneof(
      text,
      fc.json().map((json): unknown => JSON.parse(json)),
    ),
    to: text,
  })
  const someChange = fc
    .record({ user: text, changes: fc.array(field, { maxLength: 4 }), manager: text, name: text })
    .map(({ user, changes, manager, name }) => change({ user, changes, via: { manager }, object: { name } }))

  it('fits its screen, whatever is in it, and has nothing that moves a cursor', () => {
    fc.assert(
      fc.property(
        fc.array(someChange, { maxLength: 4 }),
        fc.integer({ min: 40, max: 160 }),
        fc.boolean(),
        (changes, width, single) => {
          for (const line of listText({ changes, single }, { width }).split('\n')) {
            const shown = line.replace(/^2> /, '')
            assert.ok(displayWidth(shown) <= width, `${displayWidth(shown)} > ${width}: ${shown}`)
            assert.doesNotMatch(shown, /[\p{Cc}\u202a-\u202e]/u)
          }
        },
      ),
    )
  })
})
