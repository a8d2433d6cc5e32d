import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { type ApiWorld, startApiWorld } from '../../kit/aggregated/api-world.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const SHOP = `${ROOT}/namespaces/shop/widgets`
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

interface Listed {
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly items: readonly { readonly metadata: { readonly name: string } }[]
}

describe('reading of the aggregated API', () => {
  let world: ApiWorld

  beforeEach(async () => {
    world = await startApiWorld()
    for (const [name, color] of [
      ['a', 'red'],
      ['b', 'blue'],
      ['c', 'red'],
    ] as const) {
      world.widgets.put({ name, color, namespace: 'shop', labels: { app: name } })
    }
    world.widgets.put({ name: 'z', namespace: 'other' })
    world.cluster.namespaces.set('shop', 'uid-shop')
  })
  afterEach(() => world.stop())

  const ask = async (path: string, accept?: string) => {
    const answer = await world.ask(path, accept === undefined ? {} : { headers: { accept } })
    return { ...answer, json: JSON.parse(answer.body) as Readonly<Record<string, unknown>> & Listed }
  }
  const names = async (path: string): Promise<readonly string[]> =>
    (await ask(path)).json.items.map(({ metadata }) => metadata.name)

  it('gives a list with its version and what the resource adds', async () => {
    const { status, json, headers } = await ask(SHOP)
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(json.kind, 'WidgetList')
    assert.deepEqual(json.metadata, { resourceVersion: '1004' })
    assert.deepEqual(json['summary'], { widgets: 3 })
    assert.deepEqual(await names(`${ROOT}/widgets`), ['z', 'a', 'b', 'c'])
    assert.deepEqual(await names(`${ROOT}/clusterwidgets`), [])
  })

  it('gives one object, or says that there is none', async () => {
    assert.deepEqual((await ask(`${SHOP}/b`)).json['spec'], { color: 'blue', size: { width: 1 } })
    const { status, json } = await ask(`${SHOP}/x`)
    assert.equal(status, 404)
    assert.deepEqual(json, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'widgets.deckwatch.dev "x" not found',
      reason: 'NotFound',
      code: 404,
    })
  })

  it('selects by fields and labels itself, and refuses fields that it does not know', async () => {
    assert.deepEqual(await names(`${SHOP}?fieldSelector=spec.color%3Dred`), ['a', 'c'])
    assert.deepEqual(await names(`${SHOP}?labelSelector=app+in+(b,c)`), ['b', 'c'])
    assert.deepEqual(await names(`${ROOT}/widgets?fieldSelector=metadata.namespace!%3Dshop`), ['z'])
    const { status, json } = await ask(`${SHOP}?fieldSelector=spec.size%3D1`)
    assert.equal(status, 400)
    const known = 'metadata.name, metadata.namespace, spec.color'
    assert.equal(json['message'], `field label not supported: spec.size (there are ${known})`)
  })

  it('goes through so many pages at once in which nothing is selected, and no more', async () => {
    for (let index = 0; index < 50; index += 1) world.widgets.put({ name: `w${index}`, namespace: 'shop' })
    world.widgets.put({ name: 'z', namespace: 'shop', color: 'violet' })
    let token = ''
    const pages: number[] = []
    do {
      const query = `limit=1&fieldSelector=spec.color%3Dviolet&continue=${token}`
      const { json } = await ask(`${SHOP}?${query}`)
      pages.push(json.items.length)
      token = (json.metadata['continue'] as string | undefined) ?? ''
    } while (token !== '')
    assert.deepEqual(pages, [0, 0, 1])
    assert.equal(world.widgets.lists.length, 54)
  })

  it('gives pages, none of them empty while more follow', async () => {
    const first = (await ask(`${SHOP}?limit=2`)).json
    assert.equal(first.items.length, 2)
    assert.equal(first.metadata['remainingItemCount'], 1)
    const rest = (await ask(`${SHOP}?limit=2&continue=${String(first.metadata['continue'])}`)).json
    assert.deepEqual(
      rest.items.map(({ metadata }) => metadata.name),
      ['c'],
    )
    assert.equal(rest.metadata['continue'], undefined)
    const selected = (await ask(`${SHOP}?limit=1&labelSelector=app%3Dc`)).json
    assert.equal(selected.items[0]?.metadata.name, 'c')
    assert.equal(selected.metadata['remainingItemCount'], undefined)
    world.widgets.expire()
    assert.equal((await ask(`${SHOP}?continue=${String(first.metadata['continue'])}`)).status, 410)
    assert.equal((await ask(`${SHOP}?continue=nonsense`)).status, 410)
  })

  it('gives versions that it has, and 410 for those of another journal', async () => {
    for (const [query, status] of [
      ['resourceVersion=0', 200],
      ['resourceVersion=1004', 200],
      ['resourceVersion=1000&resourceVersionMatch=NotOlderThan', 200],
      ['resourceVersion=1004&resourceVersionMatch=Exact', 200],
      ['resourceVersion=1003&resourceVersionMatch=Exact', 410],
      ['resourceVersion=1005', 410],
      ['resourceVersion=99999999999999999999', 410],
    ] as const) {
      assert.equal((await ask(`${SHOP}?${query}`)).status, status, query)
    }
  })

  it('gives a table where that is preferred, with as much of each object as is asked', async () => {
    const { json } = await ask(SHOP, `${TABLE},application/json`)
    assert.equal(json.kind, 'Table')
    assert.equal(json['apiVersion'], 'meta.k8s.io/v1')
    assert.deepEqual(
      (json['columnDefinitions'] as { name: string; type: string; format: string; priority: number }[]).map(
        ({ name, type, format, priority }) => [name, type, format, priority],
      ),
      [
        ['Name', 'string', 'name', 0],
        ['Color', 'string', '', 0],
        ['Width', 'integer', '', 1],
        ['Age', 'string', '', 0],
      ],
    )
    const rows = json['rows'] as { cells: unknown[]; object: { kind: string; metadata: { name: string } } }[]
    assert.deepEqual(rows[0]?.cells.slice(0, 3), ['a', 'red', 1])
    assert.match(String(rows[0]?.cells[3]), /^\d+m$/)
    assert.equal(rows[0]?.object.kind, 'PartialObjectMetadata')
    assert.equal(rows[0]?.object.metadata.name, 'a')
    const including = async (what: string) =>
      (
        (await ask(`${SHOP}/a?includeObject=${what}`, TABLE)).json['rows'] as { object?: { kind: string } }[]
      )[0]?.object?.kind
    assert.equal(await including('None'), undefined)
    assert.equal(await including('Object'), 'Widget')
    assert.equal(await including('Metadata'), 'PartialObjectMetadata')
    assert.equal((await ask(`${SHOP}?includeObject=All`, TABLE)).status, 400)
  })

  it('gives metadata only where that is asked, as metadata informers do', async () => {
    const as = (kind: string): string =>
      `application/vnd.kubernetes.protobuf;as=${kind};g=meta.k8s.io;v=v1,application/json;as=${kind};g=meta.k8s.io;v=v1`
    const { json } = await ask(SHOP, as('PartialObjectMetadataList'))
    assert.equal(json.kind, 'PartialObjectMetadataList')
    assert.equal(json.items.length, 3)
    assert.deepEqual(Object.keys(json.items[0] ?? {}), ['kind', 'apiVersion', 'metadata'])
    assert.equal((await ask(`${SHOP}/a`, as('PartialObjectMetadata'))).json.kind, 'PartialObjectMetadata')
  })

  it('gives JSON or nothing', async () => {
    for (const [accept, status] of [
      ['*/*', 200],
      ['application/*;q=0.1', 200],
      ['application/vnd.kubernetes.protobuf,application/json', 200],
      ['application/vnd.kubernetes.protobuf', 406],
      ['application/json;q=0', 406],
      ['application/json;as=Table;v=v9;g=meta.k8s.io', 406],
      ['application/yaml', 406],
    ] as const) {
      assert.equal((await ask(SHOP, accept)).status, status, accept)
    }
  })

  it('keeps connections for longer than Go’s clients do', async () => {
    const { headers } = await world.ask(SHOP, { headers: { connection: 'keep-alive' } })
    const said = String(headers['keep-alive'])
    assert.ok(Number(/timeout=(\d+)/.exec(said)?.[1]) > 90, said)
  })

  it('gives records of a time only where that is asked', async () => {
    await ask(`${SHOP}?sinceTime=2026-11-21T02:00:00Z&limit=7`)
    assert.deepEqual(world.widgets.lists, [
      {
        namespace: 'shop',
        namespaceUid: undefined,
        fields: [],
        limit: 7,
        continue: '',
        sinceTime: Date.UTC(2026, 10, 21, 2),
        untilTime: undefined,
        perObject: undefined,
      },
    ])
  })

  it('compresses what is long for who takes it', async () => {
    for (let index = 0; index < 1000; index += 1) world.widgets.put({ name: `w${index}`, namespace: 'shop' })
    const plain = await world.ask(SHOP)
    assert.equal(plain.headers['content-encoding'], undefined)
    const refused = await world.ask(SHOP, { headers: { 'accept-encoding': 'deflate, gzip;q=0' } })
    assert.equal(refused.headers['content-encoding'], undefined)
    const answer = await world.open(SHOP, { headers: { 'accept-encoding': 'deflate, gzip;q=0.5' } })
    assert.equal(answer.headers['content-encoding'], 'gzip')
    const body = Buffer.concat(await answer.toArray())
    assert.ok(body.length < plain.body.length / 5)
    assert.equal(gunzipSync(body).toString(), plain.body)
  })

  it('passes on what the reader must be told, as warnings that kubectl prints', async () => {
    world.widgets.warnings = [
      'history begins at "02:14"',
      'nothing is recorded since\n02:20 – the disk is full',
    ]
    const { headers } = await ask(SHOP)
    assert.equal(
      headers['warning'],
      String.raw`299 - "history begins at \"02:14\"", 299 - "nothing is recorded since?02:20 ? the disk is full"`,
    )
  })

  it('answers every other method with 405, and every other path with 404', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
      const { status, headers, body } = await world.ask(SHOP, { method })
      assert.equal(status, 405, method)
      assert.equal(headers['allow'], 'GET')
      if (method !== 'HEAD') assert.equal((JSON.parse(body) as { reason: string }).reason, 'MethodNotAllowed')
    }
    for (const path of [
      `${ROOT}/gadgets`,
      `${ROOT}/widgets/a`,
      `${ROOT}/namespaces/shop/clusterwidgets`,
      `${SHOP}/a/status`,
      `${ROOT}/constructor`,
      '/apis/apps/v1/deployments',
      '/metrics',
    ]) {
      assert.equal((await ask(path)).status, 404, path)
    }
  })

  it('names the method that a path of another kind does take', async () => {
    await world.stop()
    const handle = async (): Promise<void> => undefined
    world = await startApiWorld({ routes: [{ method: 'POST', path: '/peer/v1/leaf', handle }] })
    const { status, headers } = await world.ask('/peer/v1/leaf')
    assert.deepEqual([status, headers['allow']], [405, 'POST'])
  })

  it('tells a stranger the same of each path that is no route, however near a secret one it comes', async () => {
    await world.stop()
    const handle = async (): Promise<void> => undefined
    world = await startApiWorld({ routes: [{ method: 'POST', path: '/audit/secret', handle }] })
    const answers = new Set<string>()
    for (const path of [
      '/audit/secre',
      '/audit/secret/',
      '/audit/secret/x',
      '/audit',
      '/',
      '/nowhere',
      SHOP,
    ]) {
      const { status, body } = await world.ask(path, { method: 'POST', certificate: 'none' })
      answers.add(`${status} ${body}`)
    }
    assert.equal(answers.size, 1, [...answers].join('\n'))
    assert.match([...answers][0] ?? '', /^401 /)
  })

  it('tells nothing of what went wrong here but that it did', async () => {
    world.widgets.failure = new Error('the password is swordfish')
    const { status, body } = await world.ask(SHOP)
    assert.equal(status, 500)
    assert.doesNotMatch(body, /swordfish/)
    assert.equal(world.log.lines.at(-1)?.message, 'a request failed')
  })

  it('counts requests by closed sets of words', async () => {
    await ask(SHOP)
    await ask(`${ROOT}/whatever-${Math.random()}`)
    await world.ask(SHOP, { certificate: 'none' })
    const text = await world.metrics.metrics()
    assert.match(text, /deckwatch_api_requests_total\{resource="widgets",verb="list",code="200"\} 1/)
    assert.match(text, /deckwatch_api_requests_total\{resource="other",verb="other",code="404"\} 1/)
    assert.match(text, /deckwatch_api_requests_total\{resource="other",verb="other",code="401"\} 1/)
    assert.match(text, /deckwatch_api_access_reviews_total\{answer="allowed"\} 2/)
    assert.doesNotMatch(text, /whatever/)
  })
})
