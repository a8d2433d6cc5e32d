import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { build } from 'esbuild'
import * as fc from 'fast-check'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import {
  createAuthorityPair,
  createEphemeralPair,
  createKey,
  createLeaf,
  createSigningRequest,
  type LeafOrder,
  requestedKey,
  signLeaf,
} from '../../../server/kit/tls/certificate.ts'
import { keyFits, readBundle, readCertificate } from '../../../server/kit/tls/certificate-facts.ts'
import { dueRenewal, type KeptAuthority, readKeptAuthority } from '../../../server/kit/tls/kept-authority.ts'
import { RenewableTls } from '../../../server/kit/tls/renewable-tls.ts'
import { repeatStep } from '../../../server/kit/tls/repeat-step.ts'
import { Wakeup } from '../../../server/kit/tls/wakeup.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
const NAME = 'deckwatch.watch.svc'

const leafOrder = (more: Partial<LeafOrder> = {}): LeafOrder => ({
  commonName: NAME,
  dnsNames: [NAME],
  uris: [],
  uses: ['server'],
  now: Date.now(),
  lifeMs: DAY,
  ...more,
})

const authorityPair = (now = Date.now()) =>
  createAuthorityPair({ commonName: 'deckwatch serving authority', now, lifeMs: 10 * DAY })

describe('certificates', () => {
  it('of an authority are believed by TLS for the one name that they carry', async () => {
    const authority = await authorityPair()
    const leaf = await createLeaf(authority, leafOrder())
    const server = createServer({ cert: leaf.certificate, key: leaf.key }, (socket) => socket.end()).listen(0)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const visit = async (servername: string): Promise<string> => {
      const socket = connect({ port, host: '127.0.0.1', servername, ca: authority.certificate })
      socket.resume()
      try {
        await once(socket, 'secureConnect')
        return 'trusted'
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? ''
      } finally {
        socket.destroy()
      }
    }
    assert.equal(await visit(NAME), 'trusted')
    assert.equal(await visit('deckwatch.watch.svc.cluster.local'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    server.close()
  })

  it('cannot be issued by what an authority issued', async () => {
    const authority = await authorityPair()
    const leaf = await createLeaf(authority, leafOrder())
    const below = readCertificate(
      (await createLeaf(leaf, leafOrder({ dnsNames: ['below.svc'] }))).certificate,
    )
    const issuer = readCertificate(leaf.certificate)
    assert.equal(issuer?.ca, false)
    assert.equal(below?.checkIssued(issuer ?? assert.fail()), false)
  })

  it('hold names as they are, whatever characters they have', async () => {
    const authority = await authorityPair()
    const commonName = 'a, CN=b + "c" \\ <d>'
    const leaf = await createLeaf(authority, leafOrder({ commonName }))
    const { subject } = new X509Certificate(leaf.certificate)
    // RFC 4514, 2.4: what has a meaning in the text of a name has a backslash before it.
    assert.equal(subject.replace(/^CN=/, '').replaceAll(/\\(.)/g, '$1'), commonName)
  })

  it('have serial numbers of their own, and of one authority the same name and another key', async () => {
    const [one, other] = [await authorityPair(), await authorityPair()]
    const serial = (pem: string) => new X509Certificate(pem).serialNumber
    assert.notEqual(serial(one.certificate), serial(other.certificate))
    const leaf = await createLeaf(one, leafOrder())
    assert.equal(readKeptAuthority(dataOf(other, leaf), { leafName: NAME, now: Date.now() }).leaf, undefined)
  })

  it('that no authority vouches for serve a listener until there is another, without asking anybody', async () => {
    const { certificate, key } = await createEphemeralPair({ dnsName: NAME, now: Date.now() })
    assert.ok(keyFits(new X509Certificate(certificate), key))
    assert.equal(new X509Certificate(certificate).ca, false)
  })

  it('are made for the key of a request that its sender holds, and for none that was tampered with', async () => {
    const { request, key } = await createSigningRequest()
    const spki = await requestedKey(request)
    const certificate = await signLeaf(await authorityPair(), spki ?? assert.fail(), leafOrder())
    assert.ok(keyFits(new X509Certificate(certificate), key))
    const bytes = Buffer.from(request.replaceAll(/-.*-|\s/g, ''), 'base64')
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const forged = Buffer.from(bytes)
        forged[at] = (forged[at] ?? 0) ^ flip
        const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
        const got = await requestedKey(pem)
        // Encodings that mean the same have the same key.
        if (got) assert.deepEqual(Buffer.from(got), Buffer.from(spki ?? []))
      }),
      { numRuns: 60 },
    )
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 300 }), async (text) => {
        assert.equal(await requestedKey(text), undefined)
      }),
      { numRuns: 30 },
    )
  })

  it('of one bundled program are as good as those of the source', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'deckwatch-x509-'))
    try {
      const outfile = join(folder, 'program.cjs')
      await build({
        stdin: {
          contents: `import { createAuthorityPair, createLeaf, createSigningRequest, requestedKey } from './server/kit/tls/certificate.ts'
            const authority = await0()
            async function await0() {
              const now = Date.now()
              const pair = await createAuthorityPair({ commonName: 'bundled', now, lifeMs: 1e9 })
              const leaf = await createLeaf(pair, { commonName: 'a', dnsNames: ['a.svc'], uris: [], uses: ['server'], now, lifeMs: 1e8 })
              const spki = await requestedKey((await createSigningRequest()).request)
              console.log(JSON.stringify([pair.certificate, leaf.certificate, spki.length]))
            }`,
          resolveDir: process.cwd(),
          loader: 'ts',
        },
        outfile,
        bundle: true,
        minify: true,
        platform: 'node',
        format: 'cjs',
        target: 'node24',
      })
      const printed = execFileSync(process.execPath, [outfile], { encoding: 'utf8', env: {} })
      const [authority, leaf, keyLength] = JSON.parse(printed) as [string, string, number]
      assert.ok(new X509Certificate(leaf).verify(new X509Certificate(authority).publicKey))
      assert.equal(keyLength, 91)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('what a Secret keeps of an authority', () => {
  const times = {
    authorityLifeMs: 3650 * DAY,
    authorityRenewBeforeMs: 365 * DAY,
    leafLifeMs: 90 * DAY,
    leafRenewBeforeMs: 30 * DAY,
    settleMs: 600_000,
  }
  const now = Date.UTC(2026, 10, 21)
  const kept = (signer: [number, number] | undefined, leaf: [number, number] | undefined): KeptAuthority => {
    const pair = { certificate: '', key: '' }
    return {
      signer: signer && { ...pair, notBefore: signer[0], notAfter: signer[1] },
      leaf: leaf && { ...pair, notBefore: leaf[0], notAfter: leaf[1] },
      bundle: [],
      faults: [],
    }
  }
  const due = (signer: [number, number] | undefined, leaf: [number, number] | undefined) =>
    dueRenewal(kept(signer, leaf), now, times, true)
  const OLD: [number, number] = [now - 1000 * DAY, now + 2650 * DAY]

  it('is made where there is nothing', () => {
    assert.deepEqual(due(undefined, undefined), { authority: 'replace', leaf: 'make' })
    assert.deepEqual(dueRenewal(kept(undefined, undefined), now, times, false), {
      authority: 'replace',
      leaf: 'keep',
    })
  })

  it('is renewed when its time comes, a leaf sooner than the authority', () => {
    const leafOf = (left: number): [number, number] => [now - 50 * DAY, now + left]
    assert.deepEqual(due(OLD, leafOf(30 * DAY + 1)), { authority: 'keep', leaf: 'keep' })
    assert.deepEqual(due(OLD, leafOf(30 * DAY)), { authority: 'keep', leaf: 'make' })
    const ending: [number, number] = [now - 3285 * DAY, now + 365 * DAY]
    assert.deepEqual(due(ending, leafOf(80 * DAY)), { authority: 'add', leaf: 'keep' })
  })

  it('is not signed by an authority that not everyone knows yet, unless the leaf is of no use', () => {
    const fresh: [number, number] = [now - HOUR - 599_000, now + 3650 * DAY]
    assert.deepEqual(due(fresh, [now - 61 * DAY, now + 29 * DAY]), { authority: 'keep', leaf: 'keep' })
    assert.deepEqual(due([fresh[0] - 1000, fresh[1]], [now - 61 * DAY, now + 29 * DAY]), {
      authority: 'keep',
      leaf: 'make',
    })
    assert.deepEqual(due(fresh, [now - 91 * DAY, now - 1]), { authority: 'keep', leaf: 'make' })
    assert.deepEqual(due(fresh, undefined), { authority: 'keep', leaf: 'make' })
  })

  it('is valid again after each renewal, however far the clock jumped', () => {
    const moment = fc.integer({ min: -20 * 365, max: 20 * 365 }).map((days) => now + days * DAY)
    fc.assert(
      fc.property(moment, moment, moment, (madeAt, leafAt, at) => {
        const state = kept(
          [madeAt - HOUR, madeAt + times.authorityLifeMs],
          [leafAt - HOUR, leafAt + times.leafLifeMs],
        )
        const { authority, leaf } = dueRenewal(state, at, times, true)
        const signerIsGood = at >= madeAt - HOUR && at < madeAt + times.authorityLifeMs
        const leafIsGood = at >= leafAt - HOUR && at < leafAt + times.leafLifeMs
        assert.equal(authority === 'replace', !signerIsGood)
        if (!leafIsGood || !signerIsGood) assert.equal(leaf, 'make')
        // Everything new is good for a while: no renewal asks for the next one.
        const next = kept([at - HOUR, at + times.authorityLifeMs], [at - HOUR, at + times.leafLifeMs])
        assert.deepEqual(dueRenewal(next, at, times, true), { authority: 'keep', leaf: 'keep' })
      }),
    )
  })

  it('keeps authorities that have not ended, newest first, and forgets the rest', async () => {
    const [newest, old, ended] = [
      await authorityPair(),
      await authorityPair(Date.now() - 9 * DAY),
      await authorityPair(Date.now() - 11 * DAY),
    ]
    const bundle = newest.certificate + ended.certificate + old.certificate
    const {
      signer,
      bundle: read,
      faults,
    } = readKeptAuthority(
      { 'ca.crt': bundle, 'ca.key': newest.key },
      { leafName: undefined, now: Date.now() },
    )
    assert.deepEqual(faults, [])
    assert.equal(signer?.certificate, newest.certificate)
    assert.deepEqual(
      read.map(({ fingerprint256 }) => fingerprint256),
      (readBundle(newest.certificate + old.certificate) ?? []).map(({ fingerprint256 }) => fingerprint256),
    )
  })

  it('is never taken for good after it was cut or mixed up, and nothing of it is told', async () => {
    const authority = await authorityPair()
    const data = dataOf(authority, await createLeaf(authority, leafOrder()))
    const keys = Object.keys(data) as (keyof typeof data)[]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        async (key, part) => {
          const text = data[key]
          const cut = { ...data, [key]: text.slice(0, Math.floor(text.length * part)) }
          const { signer, leaf, faults } = readKeptAuthority(cut, { leafName: NAME, now: Date.now() })
          assert.ok(!signer || !leaf)
          assert.notEqual(faults.length, 0)
          assert.doesNotMatch(faults.join(), /BEGIN|MII|MIG/)
        },
      ),
    )
  })
})

describe('a TLS source', () => {
  it('tells who listens of each new pair, and of no old one', async () => {
    const [one, other] = [await pairOf(), await pairOf()]
    const tls = new RenewableTls(one)
    let told = 0
    const stop = tls.onChange(() => {
      told += 1
    })
    tls.replace({ ...one })
    assert.equal(told, 0)
    tls.replace(other)
    assert.equal(tls.current(), other)
    assert.equal(told, 1)
    stop()
    tls.replace(one)
    assert.equal(told, 1)
  })
})

describe('a repeated step', () => {
  const repeat = (
    step: () => Promise<void>,
    { clock = new ManualClock(), wakeup = new Wakeup(), stopping = new AbortController() } = {},
  ) => {
    const log = recordedLog()
    const repeated = { periodMs: 45_000, what: 'do it', clock, random: () => 0.5, log, wakeup, step }
    return { clock, wakeup, stopping, log, running: repeatStep(repeated, stopping.signal) }
  }

  it('is done each period, and at once when the bell rings', async () => {
    let done = 0
    const { clock, wakeup, stopping, running } = repeat(async () => {
      done += 1
    })
    await clock.untilSleep((ms) => ms === 45_000)
    assert.equal(done, 1)
    await clock.advance(45_000)
    assert.equal(done, 2)
    await clock.untilSleep((ms) => ms === 45_000)
    wakeup.ring()
    await clock.untilSleep((ms) => ms === 45_000 && done === 3)
    stopping.abort()
    await running
  })

  it('is done within seconds where the clock alone tells that it is due, and once for each period else', async () => {
    let done = 0
    let due = false
    const stopping = new AbortController()
    const clock = new ManualClock()
    const step = async (): Promise<void> => {
      done += 1
      due = false
    }
    const repeated = { periodMs: 45_000, what: 'do it', clock, random: () => 0.5, log: recordedLog(), step }
    const running = repeatStep({ ...repeated, isDue: () => due }, stopping.signal)
    await clock.untilSleep(() => true)
    await clock.advance(44_000)
    assert.equal(done, 1)
    await clock.advance(1000)
    assert.equal(done, 2)
    await clock.untilSleep(() => true)
    due = true
    await clock.advance(5000)
    assert.equal(done, 3)
    stopping.abort()
    await running
  })

  it('heeds a bell that rang while it was under way', async () => {
    let done = 0
    const wakeup = new Wakeup()
    const { clock, stopping, running } = repeat(
      async () => {
        done += 1
        if (done === 1) wakeup.ring()
      },
      { wakeup },
    )
    await clock.untilSleep((ms) => ms === 45_000)
    assert.equal(done, 2)
    stopping.abort()
    await running
  })

  it('comes again sooner after a failure, but ever later, and not for a bell', async () => {
    let done = 0
    const { clock, wakeup, stopping, running, log } = repeat(async () => {
      done += 1
      throw new Error('it broke')
    })
    const waits: number[] = []
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      waits.push(await clock.untilSleep(() => true))
      wakeup.ring()
      assert.equal(done, attempt)
      await clock.advance(waits.at(-1) ?? 0)
    }
    assert.deepEqual(waits, [750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500])
    assert.deepEqual(log.lines.map(({ level }) => level).slice(0, 8), [
      'warn',
      'warn',
      'warn',
      'warn',
      'warn',
      'error',
      'error',
      'error',
    ])
    stopping.abort()
    await running
  })
})

const dataOf = (
  authority: { certificate: string; key: string },
  leaf: { certificate: string; key: string },
) => ({
  'ca.crt': authority.certificate,
  'ca.key': authority.key,
  'tls.crt': leaf.certificate,
  'tls.key': leaf.key,
})

async function pairOf(): Promise<{ certificate: string; key: string }> {
  const { key } = await createKey()
  return { certificate: key, key }
}
