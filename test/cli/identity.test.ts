import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { GoldenSession } from '../kit/golden.ts'
import { CertificateAuthority, type KeyPair } from '../kit/kubernetes/certificates.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { startTlsFront, type TlsFront } from '../kit/tls-front.ts'
import { plainly } from './plainly.ts'
import { shopCluster } from './shop-cluster.ts'

const TOKEN = 'eyJhbGciOi-a-very-secret-token'
const PASSWORD = 'pa55-of-a-person'
const ENDED = Date.UTC(2026, 0, 31)
const ASK = ['-n', 'staging', '-o', 'name', 'redis']

interface Identity {
  readonly server: string
  readonly ca?: CertificateAuthority | undefined
  readonly user?: object
  readonly cluster?: object
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function clientCertificate({ certificate, key }: KeyPair): object {
  return { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) }
}

describe('who asks whom', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/identity.txt', import.meta.url)))
  const authority = new CertificateAuthority('a test authority')
  const stranger = new CertificateAuthority('an authority that nobody knows')
  const fronts: TlsFront[] = []
  let api: FakeApi
  let good: string
  let ended: string
  let otherName: string
  let wantsCertificate: string

  const front = async (pair: KeyPair, more: object = {}): Promise<string> => {
    const started = await startTlsFront(api.url, { cert: pair.certificate, key: pair.key, ...more })
    fronts.push(started)
    return started.url
  }

  before(async () => {
    api = await startFakeApi({ objects: shopCluster(), tokens: [TOKEN] })
    const server = { commonName: 'kube', hosts: ['127.0.0.1'] }
    good = await front(authority.issue(server))
    ended = await front(authority.issue({ ...server, notAfter: ENDED }))
    otherName = await front(authority.issue({ commonName: 'kube', hosts: ['kube.example', '10.0.0.1'] }))
    wantsCertificate = await front(authority.issue(server), {
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    })
  })
  after(async () => {
    await Promise.all(fronts.map((started) => started.stop()))
    await api.stop()
    await golden.save()
  })

  describeForms('as told by', (cli) => {
    const run = async (
      { server, ca = authority, user = { token: TOKEN }, cluster }: Identity,
      ...args: string[]
    ): Promise<CliResult> => {
      const path = join(cli().folder, 'identity.kubeconfig')
      const trust = { 'certificate-authority-data': base64(ca.certificate) }
      await writeFile(
        path,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'prod',
          clusters: [{ name: 'prod', cluster: { server, ...(cluster ?? trust) } }],
          users: [{ name: 'dev', user }],
          contexts: [{ name: 'prod', context: { cluster: 'prod', user: 'dev' } }],
        }),
      )
      const result = await cli().run([...ASK, ...args], { env: { KUBECONFIG: path } })
      return plainly(result, { url: server }, cli())
    }
    const fails = async (what: string, identity: Identity, ...args: string[]): Promise<void> => {
      const result = await run(identity, ...args)
      // Bun does not tell which names a certificate has.
      const stderr = result.stderr.replace(', but for kube.example, 10.0.0.1', '')
      await golden.check(`kubectl images   # ${what}`, { ...result, stderr })
      assert.equal(result.exitCode, 3)
      assert.equal(result.stdout, '')
      // The stack says no more of a secret than the message does.
      const debug = await run(identity, ...args, '--debug')
      assert.match(debug.stderr, /\n +at /)
      for (const secret of [TOKEN, PASSWORD, 'PRIVATE KEY', base64(`dev:${PASSWORD}`)]) {
        assert.ok(!(result.stderr + debug.stdout + debug.stderr).includes(secret), `${secret} is printed`)
      }
    }

    const works = async (identity: Identity, ...args: string[]): Promise<void> => {
      assert.deepEqual(await run(identity, ...args), {
        stdout: 'redis:7\n',
        stderr: '',
        exitCode: 0,
        signal: undefined,
      })
    }

    it('a token is enough', () => works({ server: good }))
    it('a token on the command line is enough', () => works({ server: good, user: {} }, '--token', TOKEN))
    it('an authority of a file is enough', async () => {
      await writeFile(join(cli().folder, 'ca.crt'), authority.certificate)
      await works({ server: good, cluster: {} }, '--certificate-authority', 'ca.crt')
    })
    it('a token of a plugin is enough', async () => {
      const credential = {
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        status: { token: TOKEN },
      }
      await works({
        server: good,
        user: {
          exec: {
            apiVersion: credential.apiVersion,
            command: 'sh',
            args: ['-c', `printf '%s' '${JSON.stringify(credential)}'`],
            interactiveMode: 'Never',
          },
        },
      })
    })
    it('a client certificate is shown to who asks for it', () => {
      const certificate = clientCertificate(authority.issue({ commonName: 'dev' }))
      return works({ server: wantsCertificate, user: { ...certificate, token: TOKEN } })
    })
    it('another name of the server is taken with --tls-server-name', () =>
      works({ server: otherName }, '--tls-server-name', 'kube.example'))
    it('an unknown authority is passed over with --insecure-skip-tls-verify', () =>
      works({ server: good, cluster: {} }, '--insecure-skip-tls-verify'))

    it('an unknown authority', () => fails('an unknown authority', { server: good, ca: stranger }))
    it('another name of the server', () => fails('another name of the server', { server: otherName }))
    it('a server certificate that has ended', () =>
      fails('a server certificate that has ended', { server: ended }))
    it('a client certificate that has ended', () =>
      fails('a client certificate that has ended', {
        server: wantsCertificate,
        user: clientCertificate(authority.issue({ commonName: 'dev', notAfter: ENDED })),
      }))
    it('a client certificate that has ended, where the server only says 401', () =>
      fails('a client certificate that has ended, at a server that only says 401', {
        server: good,
        user: clientCertificate(authority.issue({ commonName: 'dev', notAfter: ENDED })),
      }))
    it('a client certificate of another authority', async () => {
      const user = clientCertificate(stranger.issue({ commonName: 'dev' }))
      const result = await run({ server: wantsCertificate, user })
      assert.equal(result.exitCode, 3)
      // A server that refuses a certificate may say so, or close the connection before it could be heard.
      assert.match(
        result.stderr,
        /does not accept our client certificate|is our client certificate one that it accepts/,
      )
    })
    it('a key that is not the certificate’s', () =>
      fails("a key that is not the certificate's", {
        server: wantsCertificate,
        user: {
          ...clientCertificate(authority.issue({ commonName: 'dev' })),
          'client-key-data': base64(authority.issue({ commonName: 'dev' }).key),
        },
      }))
    it('no client certificate where one is wanted', async () => {
      const result = await run({ server: wantsCertificate, user: {} })
      assert.equal(result.exitCode, 3)
      assert.match(result.stderr, /wants a client certificate|cannot reach the API server/)
    })

    it('a token that is not accepted', () =>
      fails('a token that is not accepted', { server: good, user: { token: `${TOKEN}-of-yesterday` } }))
    it('a token with a line feed in it', () =>
      fails('a token with a line feed in it', { server: good, user: { token: `${TOKEN}\nx` } }))
    it('a password', () =>
      fails('a password', { server: good, user: { username: 'dev', password: PASSWORD } }))
    it('a proxy with a password that is not there', () =>
      fails('a proxy with a password that is not there', {
        server: 'https://kube.example',
        cluster: { 'proxy-url': `http://dev:${PASSWORD}@127.0.0.1:1` },
      }))
    it('a plugin whose answer makes no sense', () =>
      fails('a plugin whose answer makes no sense', {
        server: good,
        user: {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: 'sh',
            args: ['-c', `echo "token: ${TOKEN}"`],
            interactiveMode: 'Never',
          },
        },
      }))
    it('a kubeconfig that breaks off behind a token', async () => {
      const path = join(cli().folder, 'broken.kubeconfig')
      await writeFile(path, `users:\n- name: dev\n  user:\n    token: "${TOKEN}\n`)
      const result = await cli().run(['-A', '--debug'], { env: { KUBECONFIG: path } })
      assert.equal(result.exitCode, 3)
      assert.match(result.stderr, /KUBECONFIG_MALFORMED/)
      assert.ok(!result.stderr.includes(TOKEN), result.stderr)
    })
  })
})
