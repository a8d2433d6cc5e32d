import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { createConnectFiles } from '../../../src/core/kube/connect-files.ts'
import { certificateExpiry } from '../../../src/core/kube/tls-certificate.ts'
import { localTlsFault } from '../../../src/core/kube/tls-error.ts'
import { createTlsMaterial, trustedRoots } from '../../../src/core/kube/tls.ts'
import type { TlsMaterial } from '../../../src/core/kube/tls.ts'
import { memoryEnvironment } from './memory-environment.ts'
import { makeCertificates } from './openssl-certificates.ts'
import type { Certificates } from './openssl-certificates.ts'

const names = { server: 'https://kube.test', contextName: 'c', clusterName: 'prod', userName: 'ann' }
const nobody = { certificate: undefined, key: undefined }

describe('what a handshake is given', () => {
  const files = createConnectFiles(memoryEnvironment({ files: { '/ca': 'ca pem' } }))

  it('is the authority of the kubeconfig alone', () => {
    const material = createTlsMaterial(
      { authority: { file: '/ca' }, insecure: false, serverName: 'kube' },
      files,
    )
    deepEqual(material({ certificate: 'c', key: 'k' }), {
      ca: 'ca pem',
      cert: 'c',
      key: 'k',
      rejectUnauthorized: true,
      serverName: 'kube',
    })
  })

  it('is every root of the machine where the kubeconfig names none', () => {
    const { ca } = createTlsMaterial({ insecure: false }, files)(nobody)
    deepEqual(ca, trustedRoots())
    ok(Array.isArray(ca) && ca.length > 50)
    equal(new Set(ca).size, ca.length)
  })

  it('is no authority at all where anybody is trusted', () => {
    const material = createTlsMaterial({ insecure: true }, files)(nobody)
    deepEqual([material.ca, material.rejectUnauthorized], [undefined, false])
  })
})

describe('what is wrong with our own certificates', () => {
  let certificates: Certificates
  let good: TlsMaterial
  before(async function () {
    certificates = await makeCertificates(this)
    good = {
      ca: await certificates.text('ca.crt'),
      cert: await certificates.text('alice.crt'),
      key: await certificates.text('alice.key'),
      rejectUnauthorized: true,
      serverName: undefined,
    }
  })
  after(() => certificates?.remove())

  it('is nothing where all can be read and belongs together', () => {
    equal(localTlsFault(good, names), undefined)
    equal(localTlsFault({ ...good, cert: undefined, key: undefined }, names), undefined)
  })

  it('is named with its owner, never with a key', async () => {
    const otherKey = await certificates.text('bob.key')
    const broken = `${good.key?.slice(0, 60)}hunter2\n-----END EC PRIVATE KEY-----\n`
    for (const [change, message] of [
      [{ ca: 'no pem' }, /certificate authority of cluster "prod" is not a PEM certificate/],
      [{ cert: 'no pem' }, /client certificate of user "ann" is not a PEM certificate/],
      [{ key: broken }, /client key of user "ann" is not a PEM private key/],
      [{ key: otherKey }, /client key of user "ann" does not belong to the client certificate/],
    ] as const) {
      const error = localTlsFault({ ...good, ...change }, names)
      equal(error?.code, 'KUBE_TLS')
      match(error?.message ?? '', message)
      ok(!`${error?.message}${error?.hint}${String(error?.cause)}`.includes('hunter2'))
    }
  })

  it('may be that its time is over', async () => {
    const ended = certificateExpiry({ file: certificates.path('alice-ended.crt') })
    ok(ended !== undefined && ended < Date.now())
    const valid = certificateExpiry({ pem: good.cert ?? '' })
    ok(valid !== undefined && valid > Date.now())
    equal(certificateExpiry({ file: '/gone' }), undefined)
    equal(certificateExpiry({ pem: 'no pem' }), undefined)
  })
})
