import assert from 'node:assert/strict'
import { type ApiWorld, startApiWorld } from '../../kit/aggregated/api-world.ts'

const V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

describe('discovery of the aggregated API', () => {
  let world: ApiWorld

  before(async () => {
    world = await startApiWorld()
  })
  after(() => world?.stop())

  const get = async (path: string, accept?: string) => {
    const answer = await world.ask(path, {
      certificate: 'none',
      ...(accept === undefined ? {} : { headers: { accept } }),
    })
    return { ...answer, json: JSON.parse(answer.body || 'null') as Record<string, unknown> }
  }

  it('lists the resources with exactly the verbs get, list and watch, to everybody', async () => {
    const { status, json } = await get('/apis/deckwatch.dev/v1alpha1')
    assert.equal(status, 200)
    assert.deepEqual(json, {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'deckwatch.dev/v1alpha1',
      resources: [
        {
          name: 'widgets',
          singularName: 'widget',
          namespaced: true,
          kind: 'Widget',
          verbs: ['get', 'list', 'watch'],
          shortNames: ['wd'],
        },
        {
          name: 'clusterwidgets',
          singularName: 'clusterwidget',
          namespaced: false,
          kind: 'ClusterWidget',
          verbs: ['get', 'list', 'watch'],
        },
      ],
    })
  })

  for (const version of ['v2', 'v2beta1']) {
    it(`is aggregated in ${version}, with a tag by which it is not sent again`, async () => {
      const accept = V2.replace('v2', version)
      const { status, json, headers } = await get('/apis', `${accept},application/json`)
      assert.equal(status, 200)
      assert.equal(headers['content-type'], accept)
      assert.equal(json['apiVersion'], `apidiscovery.k8s.io/${version}`)
      const [group] = json['items'] as {
        versions: { freshness: string; resources: { resource: string }[] }[]
      }[]
      assert.deepEqual(
        group?.versions[0]?.resources.map(({ resource }) => resource),
        ['widgets', 'clusterwidgets'],
      )
      assert.equal(group?.versions[0]?.freshness, 'Current')
      const again = await world.ask('/apis', {
        certificate: 'none',
        headers: { accept, 'if-none-match': headers.etag },
      })
      assert.equal(again.status, 304)
      assert.equal(again.body, '')
    })
  }

  it('is plain for clients that know nothing else, and refused in other forms', async () => {
    assert.equal((await get('/apis')).json['kind'], 'APIGroupList')
    assert.equal((await get('/apis/deckwatch.dev')).json['kind'], 'APIGroup')
    const { status, json } = await get('/apis', 'application/vnd.kubernetes.protobuf')
    assert.equal(status, 406)
    assert.equal(json['kind'], 'Status')
  })

  it('leads from the OpenAPI index to a document with paths and kinds', async () => {
    const { json: index } = await get('/openapi/v3')
    const { serverRelativeURL } = (index['paths'] as Record<string, { serverRelativeURL: string }>)[
      'apis/deckwatch.dev/v1alpha1'
    ] ?? { serverRelativeURL: '' }
    assert.match(serverRelativeURL, /^\/openapi\/v3\/apis\/deckwatch\.dev\/v1alpha1\?hash=[0-9a-f]{64}$/)
    const { json: document } = await get(serverRelativeURL)
    assert.ok('/apis/deckwatch.dev/v1alpha1/namespaces/{namespace}/widgets' in (document['paths'] as object))
    const { schemas } = document['components'] as { schemas: Record<string, Record<string, unknown>> }
    assert.deepEqual(schemas['dev.deckwatch.v1alpha1.Widget']?.['x-kubernetes-group-version-kind'], [
      { group: 'deckwatch.dev', version: 'v1alpha1', kind: 'Widget' },
    ])
    // Every reference leads somewhere.
    const text = JSON.stringify(document)
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(schemas[name], name)
    assert.equal((await get('/openapi/v2')).json['swagger'], '2.0')
  })

  it('and probes need no certificate, and say their reasons', async () => {
    assert.equal((await world.ask('/livez', { certificate: 'none' })).body, 'ok')
    const { status, body } = await world.ask('/readyz?verbose', { certificate: 'none' })
    assert.equal(status, 200)
    assert.match(body, /^\[\+\]api .+\nreadyz check passed\n$/)
    assert.equal((await get('/statusz')).json['pod'], 'kit')
  })

  it('does not depend on the resources’ readers', async () => {
    world.widgets.failure = new Error('broken')
    assert.equal((await get('/apis/deckwatch.dev/v1alpha1')).status, 200)
    world.widgets.failure = undefined
  })
})
