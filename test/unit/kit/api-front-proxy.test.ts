import assert from 'node:assert/strict'
import {
  type ApiWorld,
  FRONT_PROXY_NAME,
  frontProxyData,
  startApiWorld,
} from '../../kit/aggregated/api-world.ts'
import { eventually } from '../../kit/aggregated/eventually.ts'
import { CertificateAuthority, type KeyPair } from '../../kit/kubernetes/certificates.ts'

const PATH = '/apis/deckwatch.dev/v1alpha1/widgets'

describe('who may say in whose name they call', () => {
  let world: ApiWorld

  beforeEach(async () => {
    world = await startApiWorld()
    world.widgets.put({ name: 'a', namespace: 'shop' })
  })
  afterEach(() => world.stop())

  const status = async (certificate: KeyPair | 'none'): Promise<number> =>
    (await world.ask(PATH, { certificate, user: 'root', groups: ['system:masters'] })).status

  it('is the API server’s front proxy', async () => {
    assert.equal(await status(world.frontProxy.issue({ commonName: FRONT_PROXY_NAME })), 200)
  })

  it('is nobody without a certificate, though the headers say so', async () => {
    assert.equal(await status('none'), 401)
    const bearer = await world.ask(PATH, { certificate: 'none', headers: { authorization: 'Bearer x' } })
    assert.equal(bearer.status, 401)
    assert.equal((JSON.parse(bearer.body) as { reason: string }).reason, 'Unauthorized')
  })

  for (const [what, make] of [
    ['a name that is not allowed', (proxy) => proxy.issue({ commonName: 'kubelet' })],
    [
      'another authority',
      () => new CertificateAuthority('front-proxy').issue({ commonName: FRONT_PROXY_NAME }),
    ],
    ['the past', (proxy) => proxy.issue({ commonName: FRONT_PROXY_NAME, notAfter: Date.now() - 60_000 })],
    [
      'an authority between, which the client sends along',
      (proxy) => {
        const between = new CertificateAuthority('between', Date.now(), proxy)
        const { certificate, key } = between.issue({ commonName: FRONT_PROXY_NAME })
        return { certificate: certificate + between.certificate, key }
      },
    ],
  ] satisfies (readonly [string, (proxy: CertificateAuthority) => KeyPair])[]) {
    it(`is nobody with a certificate of ${what}`, async () => {
      assert.equal(await status(make(world.frontProxy)), 401)
    })
  }

  it('changes with the ConfigMap, also for connections that are open', async () => {
    const [old, next] = [world.frontProxy, new CertificateAuthority('front-proxy')]
    const [before, after] = [old, next].map((by) => by.issue({ commonName: FRONT_PROXY_NAME }))
    assert.ok(before && after)
    assert.deepEqual([await status(before), await status(after)], [200, 401])
    world.cluster.setFrontProxy(frontProxyData([old, next]))
    await eventually('trust in the next authority', async () => (await status(after)) === 200)
    assert.equal(await status(before), 200)
    world.cluster.setFrontProxy(frontProxyData([next]))
    await eventually('no trust in the old authority', async () => (await status(before)) === 401)
    assert.equal(await status(after), 200)
    world.cluster.setFrontProxy(frontProxyData([next], ['somebody-else']))
    await eventually('no trust in the name', async () => (await status(after)) === 401)
  })

  it('is nobody while the ConfigMap names no authority or makes no sense, which the probe says', async () => {
    const proxy = world.frontProxy.issue({ commonName: FRONT_PROXY_NAME })
    for (const data of [{}, { ...frontProxyData([world.frontProxy]), 'requestheader-allowed-names': 'x' }]) {
      world.cluster.setFrontProxy(data)
      await eventually('no trust', async () => (await status(proxy)) === 401)
      const { status: ready, body } = await world.ask('/readyz', { certificate: 'none' })
      assert.equal(ready, 500)
      assert.match(body, /\[-\]api ConfigMap kube-system\/extension-apiserver-authentication/)
      world.cluster.setFrontProxy(frontProxyData([world.frontProxy]))
      await eventually('trust', async () => (await status(proxy)) === 200)
    }
  })

  it('is read from the headers that the ConfigMap names, of which others are not believed', async () => {
    world.cluster.allows = ({ user }) => user === 'jane'
    const proxy = world.frontProxy.issue({ commonName: FRONT_PROXY_NAME })
    const headers = { 'x-remote-username': 'jane', 'x-forwarded-user': 'jane' }
    assert.equal((await world.ask(PATH, { certificate: proxy, user: 'joe', headers })).status, 403)
    assert.equal((await world.ask(PATH, { certificate: proxy, user: '', headers })).status, 401)
  })
})
