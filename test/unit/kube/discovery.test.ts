import assert from 'node:assert/strict'
import { discoverResources } from '../../../src/core/kube/discovery.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'

const { signal } = new AbortController()

describe('discovery', () => {
  let api: FakeApi
  let transport: KubeTransport

  async function discover(aggregatedDiscovery: boolean): Promise<string[]> {
    api = await startFakeApi({ aggregatedDiscovery })
    transport = await fakeTransport(api)
    const identity = { server: api.url, contextName: '', userName: '' }
    const types = await discoverResources(transport, identity, signal)
    return types.map(({ group, version, resource, singular, kind, namespaced, shortNames }) =>
      [`${group}/${version}`, resource, singular, kind, namespaced, ...shortNames].join(' '),
    )
  }
  afterEach(async () => {
    transport.close()
    await api.stop()
  })

  it('takes two requests where the server tells all groups at once', async () => {
    const types = await discover(true)
    assert.equal(api.requests.length, 2)
    assert.equal(types[0], '/v1 pods pod Pod true po')
    assert.deepEqual(types.slice(-3), [
      'parts.example.com/v2 widgets widget Widget true wi',
      'parts.example.com/v1 widgets widget Widget true wi',
      'toys.example.com/v1 widgets widget Widget false',
    ])
  })

  it('comes to the same group by group at an older server', async () => {
    const old = await discover(false)
    await api.stop()
    transport.close()
    assert.deepEqual(old, await discover(true))
  })

  it('goes on without a group whose server does not answer', async () => {
    api = await startFakeApi({ aggregatedDiscovery: false })
    transport = await fakeTransport(api)
    api.faults.always('/apis/parts.example.com/v2', { kind: 'status', status: 503, reason: '' })
    const identity = { server: api.url, contextName: '', userName: '' }
    const types = await discoverResources(transport, identity, signal)
    const widgets = types.filter(({ resource }) => resource === 'widgets')
    assert.deepEqual(
      widgets.map(({ group, version }) => `${group}/${version}`),
      ['parts.example.com/v1', 'toys.example.com/v1'],
    )
  })
})
