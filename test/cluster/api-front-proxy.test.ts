import assert from 'node:assert/strict'
import { request as httpsRequest } from 'node:https'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { eventually } from '../kit/aggregated/eventually.ts'
import { MemoryResource } from '../kit/aggregated/memory-resource.ts'
import { type Aggregated, startAggregated } from '../kit/aggregated/start-aggregated.ts'
import { CertificateAuthority, type KeyPair } from '../kit/kubernetes/certificates.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const PATH = '/apis/deckwatch.dev/v1alpha1/widgets'
const CONFIG_MAP = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'

describe('the front proxy of a real API server', () => {
  let cluster: ControlPlane
  let aggregated: Aggregated

  before(async function () {
    await requireKubernetes(this)
    // The ConfigMap of the whole cluster is changed here.
    cluster = await startControlPlane({ controllers: 'none' })
    const widgets = new MemoryResource()
    widgets.put({ name: 'a', namespace: 'default' })
    aggregated = await startAggregated(cluster, [widgets.resource])
  })
  after(async () => {
    await aggregated?.stop()
    await cluster?.stop()
  })

  /** Goes to the server itself, as an administrator by its headers. */
  async function direct(certificate?: KeyPair): Promise<{ readonly status: number; readonly body: string }> {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port: aggregated.port,
      servername: 'deckwatch-kit.deckwatch-kit.svc',
      ca: aggregated.serving.certificate,
      ...(certificate ? { cert: certificate.certificate, key: certificate.key } : {}),
      agent: false,
      path: PATH,
      headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
    })
    outgoing.end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    return { status: answer.statusCode ?? 0, body: await text(answer) }
  }

  const get = async (): Promise<number> => (await cluster.kubectl(['get', 'widgets', '-A'])).exitCode
  const changeData = (data: Readonly<Record<string, string>>) =>
    cluster.admin.send('PATCH', CONFIG_MAP, { data })

  it('is the only one that may say who calls', async () => {
    assert.equal(await get(), 0)
    const ofCluster = cluster.authority.issue({
      commonName: 'front-proxy-client',
      organizations: ['system:masters'],
    })
    for (const certificate of [undefined, ofCluster]) {
      const { status, body } = await direct(certificate)
      assert.equal(status, 401)
      assert.doesNotMatch(body, /WidgetList/)
    }
  })

  it('may get another authority while it serves', async () => {
    const next = new CertificateAuthority('next-front-proxy')
    const client = next.issue({ commonName: 'front-proxy-client' })
    assert.equal((await direct(client)).status, 401)
    const { data } = await cluster.admin.send<{ data: Record<string, string> }>('GET', CONFIG_MAP)
    const key = 'requestheader-client-ca-file'
    await changeData({ [key]: `${data[key] ?? ''}${next.certificate}` })
    await eventually('trust in the next authority', async () => (await direct(client)).status === 200)
    assert.equal((await direct(next.issue({ commonName: 'somebody' }))).status, 401)
    assert.equal(await get(), 0)
  })

  it('is refused while the ConfigMap names a wrong authority, and served again when that is mended', async () => {
    const { data } = await cluster.admin.send<{ data: Record<string, string> }>('GET', CONFIG_MAP)
    await changeData({ 'requestheader-client-ca-file': new CertificateAuthority('wrong').certificate })
    await eventually('the refusal', async () => (await get()) === 1)
    // Also on the connections that the API server opens meanwhile, for which it has no certificate to choose.
    assert.equal(await get(), 1)
    await changeData(data)
    await eventually('the API server to be trusted again', async () => (await get()) === 0)
  })
})
