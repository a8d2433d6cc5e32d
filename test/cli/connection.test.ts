import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { CertificateAuthority } from '../kit/kubernetes/certificates.ts'
import { skip } from '../kit/skip.ts'
import { startTlsFront, type TlsFront } from '../kit/tls-front.ts'
import { type SmallProxy, startHttpProxy } from '../unit/kube/small-proxies.ts'
import { shopCluster } from './shop-cluster.ts'

const TOKEN = 'token-of-a-service-account'
const REDIS = { stdout: 'redis:7\n', stderr: '', exitCode: 0, signal: undefined }
const ASK = ['-o', 'name', 'redis']

describe('a way to the cluster', () => {
  const authority = new CertificateAuthority('a test authority')
  let api: FakeApi
  let front: TlsFront
  let proxy: SmallProxy
  before(async () => {
    api = await startFakeApi({ objects: shopCluster(), tokens: [TOKEN] })
    const pair = authority.issue({ commonName: 'kube', hosts: ['127.0.0.1', 'kube.test'] })
    front = await startTlsFront(api.url, { cert: pair.certificate, key: pair.key })
    proxy = await startHttpProxy()
  })
  after(async () => {
    await Promise.all([proxy.stop(), front.stop()])
    await api.stop()
  })

  describeForms('by', (cli) => {
    let port: string
    before(() => {
      port = new URL(front.url).port
    })
    const kubeconfig = async (name: string, server: string, cluster: object = {}): Promise<string> => {
      const path = join(cli().folder, name)
      const trust = { 'certificate-authority-data': Buffer.from(authority.certificate).toString('base64') }
      await writeFile(
        path,
        JSON.stringify({
          'current-context': 'a',
          clusters: [{ name: 'a', cluster: { server, ...trust, ...cluster } }],
          users: [{ name: 'a', user: { token: TOKEN } }],
          contexts: [{ name: 'a', context: { cluster: 'a', user: 'a', namespace: 'staging' } }],
        }),
      )
      return path
    }

    it('is ~/.kube/config, with its namespace', async () => {
      await mkdir(join(cli().folder, 'home/.kube'), { recursive: true })
      await kubeconfig('home/.kube/config', front.url)
      assert.deepEqual(await cli().run(ASK), REDIS)
      const { stdout } = await cli().run(['-n', 'kube-system', '-o', 'name', 'scheduler'])
      assert.equal(stdout, 'registry.k8s.io/kube-scheduler:v1.35.4\n')
    })

    it('is a list of files in KUBECONFIG, of which some are missing', async () => {
      const path = await kubeconfig('second', front.url)
      const env = { KUBECONFIG: `/nowhere/config:${path}` }
      assert.deepEqual(await cli().run(ASK, { env }), REDIS)
    })

    it('goes through the proxy that the environment names, unless NO_PROXY excepts the host', async () => {
      // No such name exists: only the proxy knows where it leads.
      const env = {
        KUBECONFIG: await kubeconfig('named', `https://kube.test:${port}`),
        HTTPS_PROXY: proxy.url,
      }
      const seen = proxy.asked.length
      assert.deepEqual(await cli().run(ASK, { env }), REDIS)
      assert.deepEqual(new Set(proxy.asked.slice(seen)), new Set([`kube.test:${port}`]))
      const { exitCode, stderr } = await cli().run(ASK, { env: { ...env, NO_PROXY: '.test' } })
      assert.equal(exitCode, 3)
      assert.match(stderr, /its name cannot be resolved/)
    })

    it('goes through the proxy of the kubeconfig, also to this machine', async () => {
      const env = { KUBECONFIG: await kubeconfig('proxied', front.url, { 'proxy-url': proxy.url }) }
      const seen = proxy.asked.length
      assert.deepEqual(await cli().run(ASK, { env }), REDIS)
      assert.deepEqual(new Set(proxy.asked.slice(seen)), new Set([`127.0.0.1:${port}`]))
    })

    it('is the service account in a pod that has no kubeconfig', async function () {
      const secrets = join(cli().folder, 'serviceaccount')
      await mkdir(secrets, { recursive: true })
      const files = { token: TOKEN, 'ca.crt': authority.certificate, namespace: 'staging' }
      for (const [name, text] of Object.entries(files)) await writeFile(join(secrets, name), text)
      // A mount namespace of its own shows the files where a pod has them.
      const inPod = (script: string): string =>
        `unshare --user --map-root-user --mount sh -c 'mount -t tmpfs tmpfs "$(readlink -f /var/run)" && mkdir -p /var/run/secrets/kubernetes.io && cp -r ${secrets} /var/run/secrets/kubernetes.io/ && sh ${script}'`
      const possible = await cli().runShell(`: > nothing.sh; ${inPod('nothing.sh')}`)
      if (possible.exitCode !== 0)
        skip(this, 'this user may not make a mount namespace, in which a pod is imitated')
      const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port, HOME: '/nowhere' }
      const ask = `cat > ask.sh <<'END'\nexec $CLI ${ASK.join(' ')}\nEND\n`
      const result = await cli().runShell(ask + inPod('ask.sh'), { env })
      assert.deepEqual(result, REDIS)
    })
  })
})
