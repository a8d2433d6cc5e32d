import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiTypes } from '../../../src/cli/shell/api-types.ts'
import type { ClusterConnection } from '../../../src/core/kube/connection.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const { signal } = new AbortController()

describe('the types of a cluster', () => {
  let api: FakeApi
  let transport: KubeTransport
  let cache: string
  let clock: ManualClock

  /** As the next run of a command has them. */
  function types(): ApiTypes {
    const connection = { server: api.url, trust: { insecure: false } } as ClusterConnection
    return new ApiTypes({ transport, connection, environment: { XDG_CACHE_HOME: cache }, clock, signal })
  }
  const asked = (): number => api.requests.length

  beforeEach(async () => {
    api = await startFakeApi()
    transport = await fakeTransport(api)
    cache = await mkdtemp(join(tmpdir(), 'deckwatch-types-'))
    clock = new ManualClock()
  })
  afterEach(async () => {
    transport.close()
    await api.stop()
    await rm(cache, { recursive: true })
  })

  it('are known without asking where they are Kubernetes’ own', async () => {
    for (const word of ['deploy', 'Deployment', 'deployments.apps', 'cm', 'clusterroles', 'pods.v1.'])
      await types().find(word)
    assert.equal(asked(), 0)
  })

  it('are asked for once, and remembered for ten minutes', async () => {
    assert.equal((await types().find('wi')).version, 'v2')
    assert.equal((await types().find('widgets.v1.parts.example.com')).version, 'v1')
    assert.equal((await types().find('widgets.toys')).namespaced, false)
    assert.equal(asked(), 2)
    await clock.advance(600_000)
    await types().find('wi')
    assert.equal(asked(), 4)
  })

  it('are asked for again, once, where what is remembered lacks one', async () => {
    await types().find('wi')
    await assert.rejects(types().find('widgts'), {
      code: 'USAGE',
      message: 'the server has no resource type "widgts"',
      hint: 'Did you mean widgets? All there are: kubectl api-resources',
    })
    assert.equal(asked(), 4)
  })

  it('are asked for where a word has the beginning of a group only: it may be of two', async () => {
    assert.equal((await types().find('deployments.ap')).group, 'apps')
    assert.equal(asked(), 2)
  })
})
