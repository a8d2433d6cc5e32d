import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node'
import { eventually } from '../kit/aggregated/eventually.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import { CertificateAuthority, type KeyPair } from '../kit/kubernetes/certificates.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const LIST = '/apis/deckwatch.dev/v1alpha1/images'
const CONFIG_MAP = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'
const CLIENT_CA = 'requestheader-client-ca-file'
const HALF_OPEN = 5000
/** Fewer than half-open connections are tried. */
const FILES = 3000

describe('the companion’s door, by which the API server comes', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let companion: Companion
  let pid: number | undefined
  const sockets: Socket[] = []

  before(async function () {
    await requireKubernetes(this)
    // Its ConfigMap is changed here.
    cluster = await startControlPlane()
    const pod: V1Pod = {
      metadata: { name: 'web', namespace: 'shop' },
      spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'nginx:1.25' }] },
    }
    await createPods(cluster, [pod])
    const limited = ['sh', '-c', `ulimit -n ${FILES}; exec "$@"`, 'sh']
    companion = await startCompanion(cluster, { program: [...limited, process.execPath, MAIN] })
    pid = companion.pid
  })
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  after(async () => {
    await companion?.stop()
    await cluster?.stop()
  })

  /** A real GET on a connection of its own, which the process that was started answers. */
  const expectServed = async (): Promise<void> => {
    const { stdout, stderr, exitCode } = await cluster.kubectl(['get', 'images', '-A'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /nginx/)
    assert.equal((await companion.ask('/readyz')).status, 200)
    assert.equal(companion.pid, pid)
  }
  const plain = async (): Promise<Socket> => {
    const socket = connectPlain(companion.ports.api, '127.0.0.1')
    sockets.push(socket)
    await once(socket, 'connect')
    return socket.on('error', () => undefined)
  }
  const overTls = async (bytes: string): Promise<string> => {
    const socket = connectTls({ port: companion.ports.api, host: '127.0.0.1', rejectUnauthorized: false })
    sockets.push(socket)
    await once(socket, 'secureConnect')
    socket.on('error', () => undefined).write(bytes)
    return text(socket).catch(() => '')
  }

  it('refuses a request line of a megabyte, straight and through the API server, and serves on', async () => {
    const line = (length: number) => `${LIST}?labelSelector=${'x'.repeat(length)}`
    assert.match(await overTls(`GET ${line(1024 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 431 /)
    await expectServed()
    // The API server itself takes no more than a megabyte, so that a little less comes through.
    await assert.rejects(cluster.admin.text('GET', line(1_000_000)), /431/)
    await assert.rejects(cluster.admin.text('GET', line(1024 * 1024 + 8192)), /431/)
    await expectServed()
  })

  it('serves on after what is no TLS and what is no HTTP', async () => {
    const noTls = ['GET / HTTP/1.1\r\n\r\n', '\u0016\u0003\u0001\uffff', '\0'.repeat(1024 * 1024)]
    for (const garbage of noTls) {
      const socket = await plain()
      socket.write(garbage)
      socket.resume()
      // With a reset or without.
      await eventually('the end of the connection', () => socket.closed)
    }
    for (const garbage of ['\0\0\0\0\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'x'.repeat(100_000)])
      assert.match(await overTls(garbage), /^(?:HTTP\/1\.1 4\d\d |$)/)
    await expectServed()
  })

  it('serves on before 5,000 half-open connections, with fewer files than that', async () => {
    const files = (): number => readdirSync(`/proc/${companion.pid}/fd`).length
    assert.match(readFileSync(`/proc/${companion.pid}/limits`, 'utf8'), new RegExp(`open files +${FILES} `))
    let most = 0
    while (sockets.length < HALF_OPEN) {
      // One that is refused, for want of files here or there, fails the test.
      await Promise.all(Array.from({ length: 100 }, plain))
      most = Math.max(most, files())
      if (sockets.length % 1000 === 0) await expectServed()
    }
    assert.equal(sockets.length, HALF_OPEN)
    // They were really held, up to the limit, and not cut at once.
    assert.ok(most > 900 && most < FILES / 2, `${most} files were open`)
    const left = sockets.filter(({ destroyed, readyState }) => !destroyed && readyState === 'open')
    assert.ok(left.length >= 900, `${left.length} are left`)
    await expectServed()
  })

  describe('while the ConfigMap names a wrong authority', () => {
    let data: Readonly<Record<string, string>>
    let trusted: KeyPair
    const wrong = new CertificateAuthority('another-front-proxy')

    /** Goes to the process itself as an administrator, by headers. */
    const direct = async (as: KeyPair | undefined): Promise<number> => {
      const outgoing = httpsRequest(`${companion.url}${LIST}`, {
        rejectUnauthorized: false,
        agent: false,
        headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
        ...(as ? { cert: as.certificate, key: as.key } : {}),
      })
      outgoing.end()
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
      const body = await text(answer)
      assert.equal(/nginx/.test(body), answer.statusCode === 200)
      return answer.statusCode ?? 0
    }
    const status = async (): Promise<string> => {
      const { exitCode, stderr } = await cluster.kubectl(['get', 'images', '-A'])
      return exitCode === 0 ? 'served' : stderr
    }
    /** Immutable, so that it stays: the API server looks at it now and then, and adds its own authority. */
    const setAuthority = async (pem: string): Promise<void> => {
      const { metadata } = await cluster.admin.send<V1ConfigMap>('GET', CONFIG_MAP)
      await cluster.admin.send('PUT', CONFIG_MAP, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata,
        data: { ...data, [CLIENT_CA]: pem },
        immutable: true,
      })
    }

    before(async () => {
      ;({ data = {} } = await cluster.admin.send<V1ConfigMap>('GET', CONFIG_MAP))
      const file = (name: string): string => readFileSync(cluster.folder.file('pki', name), 'utf8')
      trusted = { certificate: file('front-proxy-client.crt'), key: file('front-proxy-client.key') }
      assert.equal(await direct(trusted), 200)
      await setAuthority(wrong.certificate)
    })

    it('it lets nobody in by the old trust, nor without any', async () => {
      await eventually('the refusal', async () => (await direct(trusted)) === 401)
      assert.match(await status(), /logged in to the server|Unauthorized/)
      assert.equal(await direct(undefined), 401)
      assert.equal(
        await direct(new CertificateAuthority('nobody').issue({ commonName: 'front-proxy-client' })),
        401,
      )
      // The new trust is the only one, and asks for the name too.
      assert.equal(await direct(wrong.issue({ commonName: 'front-proxy-client' })), 200)
      assert.equal(await direct(wrong.issue({ commonName: 'somebody' })), 401)
    })

    it('and it serves again once that is mended, without a restart', async () => {
      // What is immutable can only be made anew; the API server may be quicker.
      await cluster.admin.text('DELETE', CONFIG_MAP)
      const metadata = { name: 'extension-apiserver-authentication' }
      await cluster.admin
        .send('POST', '/api/v1/namespaces/kube-system/configmaps', { metadata, data })
        .catch((error: unknown) => assert.match(String(error), /409/))
      await eventually('the API server to be trusted again', async () => (await status()) === 'served')
      assert.equal(await direct(trusted), 200)
      assert.equal(await direct(wrong.issue({ commonName: 'front-proxy-client' })), 401)
      await expectServed()
    })
  })
})
