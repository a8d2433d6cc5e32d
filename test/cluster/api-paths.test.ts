import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import * as fc from 'fast-check'
import { MemoryResource } from '../kit/aggregated/memory-resource.ts'
import { type Aggregated, startAggregated } from '../kit/aggregated/start-aggregated.ts'
import type { KeyPair } from '../kit/kubernetes/certificates.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'

const MINE = 'api-paths-mine'
const OTHERS = 'api-paths-others'
const USER = 'api-paths-user'
const ROOT = '/apis/deckwatch.dev/v1alpha1'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const SECRET = 'swordfish'

describe('paths through a real API server, of a caller with one narrow right', () => {
  let cluster: ControlPlane
  let aggregated: Aggregated
  let caller: KeyPair

  before(async function () {
    cluster = await requireCluster(this)
    const [widgets, clusterWidgets] = [new MemoryResource(), new MemoryResource({ namespaced: false })]
    aggregated = await startAggregated(cluster, [widgets.resource, clusterWidgets.resource], {
      // The caller asks as fast as it can.
      limits: { requestsPerSecond: 1e6, burst: 1e6 },
    })
    caller = cluster.authority.issue({ commonName: USER })
    await Promise.all([MINE, OTHERS].map((name) => ensureNamespace(cluster.admin, name)))
    const uid = async (namespace: string): Promise<string> =>
      (await cluster.admin.send<{ metadata: { uid: string } }>('GET', `/api/v1/namespaces/${namespace}`))
        .metadata.uid
    widgets.put({ name: 'web', namespace: MINE, namespaceUid: await uid(MINE) })
    widgets.put({ name: 'other', namespace: MINE, namespaceUid: await uid(MINE), color: SECRET })
    widgets.put({ name: 'secret', namespace: OTHERS, namespaceUid: await uid(OTHERS), color: SECRET })
    widgets.put({ name: 'web', namespace: OTHERS, namespaceUid: await uid(OTHERS), color: SECRET })
    clusterWidgets.put({ name: 'web', color: SECRET })
    // One object, by every subresource there could be: where the hole was.
    await cluster.admin.send('POST', `${RBAC}/namespaces/${MINE}/roles`, {
      metadata: { name: USER },
      rules: [
        {
          apiGroups: ['deckwatch.dev'],
          resources: ['widgets', 'widgets/log', 'widgets/status'],
          resourceNames: ['web'],
          verbs: ['get', 'list', 'watch'],
        },
        { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      ],
    })
    await cluster.admin.send('POST', `${RBAC}/namespaces/${MINE}/rolebindings`, {
      metadata: { name: USER },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: USER },
      subjects: [{ kind: 'User', name: USER, apiGroup: 'rbac.authorization.k8s.io' }],
    })
  })
  after(() => aggregated?.stop())

  /** Sends request targets as they are, on one connection, and gives all that comes back. */
  async function send(targets: readonly string[], headers: readonly string[] = []): Promise<string> {
    const { hostname, port } = new URL(cluster.url)
    const socket = connectTls({
      host: hostname,
      port: Number(port),
      ca: cluster.authority.certificate,
      cert: caller.certificate,
      key: caller.key,
      servername: 'localhost',
    }).on('error', () => undefined)
    await once(socket, 'secureConnect')
    for (const [index, target] of targets.entries()) {
      const close = index === targets.length - 1 ? 'Connection: close\r\n' : ''
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers.map((line) => `${line}\r\n`).join('')}${close}\r\n`,
      )
    }
    return text(socket).catch(() => '')
  }

  async function assertServes(): Promise<void> {
    const answer = await send([`${ROOT}/namespaces/${MINE}/widgets/web`])
    assert.match(answer, /^HTTP\/1\.1 200 [^]*"color":"red"/)
  }

  it('reaches the one object, also by a list and a watch that name it', async () => {
    await assertServes()
    const selector = 'fieldSelector=metadata.name%3Dweb'
    const listed = await send([`${ROOT}/namespaces/${MINE}/widgets?${selector}`])
    assert.match(listed, /^HTTP\/1\.1 200 [^]*"WidgetList"/)
    assert.doesNotMatch(listed, new RegExp(SECRET))
    const watched = await send([`${ROOT}/namespaces/${MINE}/widgets?${selector}&watch=1&timeoutSeconds=1`])
    assert.match(watched, /"ADDED"/)
    assert.doesNotMatch(watched, new RegExp(SECRET))
  })

  for (const path of [
    `namespaces/${MINE}/widgets/web/log/../../../../${OTHERS}/widgets/secret`,
    `namespaces/${MINE}/widgets/web/../other`,
    `namespaces/${MINE}/widgets/web/log/../../other`,
    `namespaces/${MINE}/widgets/web/status/%2e%2e/%2e%2e/other`,
    `namespaces/${MINE}/widgets/web/..%2fother`,
    `namespaces/${MINE}/widgets/web%2f..%2fother`,
    `namespaces/${MINE}/widgets/web/log//../../../../../clusterwidgets/web`,
    `namespaces/${MINE}/widgets//other`,
    `namespaces/${MINE}//widgets/other`,
    `namespaces/${MINE}/widgets/web/`,
    `namespaces/${MINE}/widgets/web/log/%ff`,
    `namespaces/${MINE}/widgets/web/log/%c0%ae%c0%ae`,
    `namespaces/${MINE}/widgets/web/log/..;/other`,
    `namespaces/${MINE}/widgets/web?name=other&namespace=${OTHERS}`,
    `namespaces/${MINE}/widgets?fieldSelector=metadata.name%3Dweb&fieldSelector=metadata.name%3Dother`,
    `namespaces/${MINE}/widgets?fieldSelector=metadata.name%3Dweb&watch=false&watch=true&timeoutSeconds=1`,
    `namespaces/${MINE}/widgets?fieldSelector=metadata.name%3Dweb,metadata.name%3Dother`,
    `namespaces/${MINE}/widgets?fieldSelector=metadata.name%3D%3Dweb;&labelSelector=`,
    `watch/namespaces/${MINE}/widgets/web`,
    `widgets?fieldSelector=metadata.name%3Dweb`,
  ]) {
    it(`reaches no other: ${path}`, async () => {
      assert.doesNotMatch(await send([`${ROOT}/${path}`]), new RegExp(SECRET))
      await assertServes()
    })
  }

  it('reaches no other by thousands of made-up ones, and the server stays up', async function () {
    this.timeout(300_000)
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '..',
        '.',
        '',
        '%2e%2e',
        '%2E.',
        '%2f',
        '%5c',
        '%ff',
        '%00',
        '%252e%252e',
        ';',
        '..;',
      ),
      fc.constantFrom(
        'log',
        'status',
        'widgets',
        'clusterwidgets',
        'namespaces',
        'web',
        'other',
        'secret',
        'watch',
      ),
      fc.constantFrom(MINE, OTHERS, 'apis', 'deckwatch.dev', 'v1alpha1', '%77eb', 'o%74her', '%c3%28'),
      fc.stringMatching(/^[!$-+.-9:;=@-Z\\^-~]{0,6}$/),
    )
    const start = fc.constantFrom(
      `namespaces/${MINE}/widgets/web/log`,
      `namespaces/${MINE}/widgets/web`,
      `namespaces/${MINE}/widgets`,
      `namespaces/${MINE}`,
      '',
    )
    const query = fc.constantFrom(
      '',
      '',
      '?fieldSelector=metadata.name%3Dweb',
      '?fieldSelector=metadata.name%3Dweb%ff',
      '?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dother',
      '?limit=1&continue=%ff',
      '?%',
      '?;&=',
      `?namespace=${OTHERS}`,
    )
    const target = fc
      .tuple(start, fc.array(piece, { maxLength: 9 }), query)
      .map(([from, pieces, asked]) => `${ROOT}/${[from, ...pieces].join('/')}${asked}`)
    const header = fc.constantFrom(
      'Accept: application/json;as=Table;v=v1;g=meta.k8s.io',
      'X-Remote-User: admin\r\nX-Remote-Group: system:masters',
      'X-Remote-Extra-a: b',
      `X-Original-URL: ${ROOT}/clusterwidgets/web`,
      'Impersonate-User: admin',
      'Accept-Encoding: gzip;q=0',
    )
    let answered = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(target, { minLength: 20, maxLength: 20 }),
        fc.array(header, { maxLength: 2 }),
        async (targets, headers) => {
          const answers = await send(targets, headers)
          answered += answers.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0
          assert.doesNotMatch(answers, new RegExp(SECRET))
          assert.doesNotMatch(answers, /"code":500/)
        },
      ),
      { numRuns: 150 },
    )
    // The API server ends a connection at what it cannot parse, and what follows there is not asked.
    assert.ok(answered > 1500, `${answered} were answered`)
    await assertServes()
    assert.deepEqual(
      aggregated.log.lines.filter(({ level }) => level === 'error'),
      [],
    )
  })
})
