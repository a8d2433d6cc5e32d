import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import * as fc from 'fast-check'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { callerFromHeaders } from '../../../server/kit/api/caller-from-headers.ts'
import { frontProxyCheck, frontProxyTrust } from '../../../server/kit/api/front-proxy.ts'
import { frontProxyData } from '../../kit/aggregated/api-world.ts'
import { CertificateAuthority } from '../../kit/kubernetes/certificates.ts'

const authority = new CertificateAuthority('front-proxy')
const trust = frontProxyTrust(frontProxyData([authority]))

/** A string as Node gives the header that it was sent in. */
const onTheWire = (text: string): string => Buffer.from(text).toString('latin1')

/** Headers in the flat form of node:http. */
const raw = (headers: readonly (readonly [name: string, value: string])[]): readonly string[] =>
  headers.flat()

describe('the caller that the front proxy names', () => {
  it('has groups with commas, names in UTF-8, and extra keys that were percent-encoded', () => {
    assert.deepEqual(
      callerFromHeaders(
        raw([
          ['X-Remote-User', onTheWire('Jörg')],
          ['X-Remote-Group', 'a, b'],
          ['X-Remote-Group', 'c'],
          ['X-Remote-Uid', 'u-1'],
          ['X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id', 'JTI=1'],
          ['X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id', 'JTI=2'],
          ['X-Remote-Extra-__proto__', 'x'],
          ['Accept', 'text/plain'],
        ]),
        trust,
      ),
      {
        username: 'Jörg',
        uid: 'u-1',
        groups: ['a, b', 'c'],
        extra: Object.fromEntries([
          ['authentication.kubernetes.io/credential-id', ['JTI=1', 'JTI=2']],
          ['__proto__', ['x']],
        ]),
      },
    )
  })

  it('must have a name, in whole UTF-8', () => {
    for (const headers of [[], ['X-Remote-User', ''], ['X-Remote-User', '\u00ff'], ['X-Remote-Group', 'a']]) {
      assert.throws(
        () => callerFromHeaders(headers, trust),
        (error) => error instanceof ApiError && error.status === 401,
      )
    }
  })

  it('is only read from the headers that the ConfigMap names', () => {
    const headers = ['X-Remote-User', 'jane', 'X-Forwarded-User', 'admin', 'Impersonate-User', 'admin']
    assert.equal(callerFromHeaders(headers, trust).username, 'jane')
    const other = frontProxyTrust({ 'requestheader-username-headers': '["X-Forwarded-User"]' })
    assert.deepEqual(callerFromHeaders(headers, other), { username: 'admin', uid: '', groups: [], extra: {} })
  })

  it('is the one that was sent, whoever it is', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .map((text) => text.toWellFormed())
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 5 }), (username, groups) => {
        const headers = raw([
          ['X-Remote-User', onTheWire(username)],
          ...groups.map((group) => ['x-remote-group', onTheWire(group)] as const),
        ])
        assert.deepEqual(callerFromHeaders(headers, trust), { username, uid: '', groups, extra: {} })
      }),
    )
  })
})

describe('the certificate of the front proxy', () => {
  let now: number
  const check = frontProxyCheck(trust)
  const issued = (by: CertificateAuthority, commonName: string, notAfter?: number): X509Certificate =>
    new X509Certificate(by.issue({ commonName, ...(notAfter ? { notAfter } : {}) }).certificate)

  // Long after this file was read, where others come first.
  beforeEach(() => {
    now = Date.now()
  })

  it('is of the authority, in time and of an allowed name', () => {
    assert.ok(check(issued(authority, 'front-proxy-client'), now))
    assert.ok(!check(issued(authority, 'front-proxy-client', now + 60_000), now + 120_000))
    assert.ok(!check(issued(authority, 'somebody'), now))
    assert.ok(!check(issued(new CertificateAuthority('front-proxy'), 'front-proxy-client'), now))
    assert.ok(!check(undefined, now))
  })

  it('may have any name where none is listed, and is nobody’s where there is no authority', () => {
    const any = frontProxyCheck(frontProxyTrust(frontProxyData([authority], [])))
    assert.ok(any(issued(authority, 'somebody'), now))
    assert.ok(!any(issued(new CertificateAuthority('other'), 'somebody'), now))
    assert.ok(!frontProxyCheck(frontProxyTrust({}))(issued(authority, 'front-proxy-client'), now))
  })

  it('may be of either authority while they are exchanged', () => {
    const next = new CertificateAuthority('front-proxy')
    const both = frontProxyCheck(frontProxyTrust(frontProxyData([authority, next])))
    assert.ok(both(issued(authority, 'front-proxy-client'), now))
    assert.ok(both(issued(next, 'front-proxy-client'), now))
  })

  it('must be signed by the authority itself: what stands between could carry any name', () => {
    const between = new CertificateAuthority('between', now, authority)
    assert.ok(!check(issued(between, 'front-proxy-client'), now))
    assert.ok(!check(new X509Certificate(authority.certificate), now))
  })

  it('is not read from a ConfigMap that makes no sense', () => {
    assert.throws(() => frontProxyTrust({ 'requestheader-allowed-names': '{"a": 1}' }))
    assert.throws(() => frontProxyTrust({ 'requestheader-allowed-names': 'front-proxy-client' }))
  })
})
