import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { parsePostgresUrl } from '../../../server/kit/store/postgres-url.ts'

describe('the address of a database', () => {
  it('is read from a URL', () => {
    const { ssl, ...address } = parsePostgresUrl('postgres://me%40a:p%3A%2F@[::1]:6000/audit%20log')
    assert.deepEqual(address, {
      host: '::1',
      port: 6000,
      user: 'me@a',
      password: 'p:/',
      database: 'audit log',
    })
    assert.equal(ssl && ssl.rejectUnauthorized, false)
    const short = parsePostgresUrl('postgresql://me@db.example.com')
    assert.deepEqual([short.port, short.database, short.password], [5432, 'me', undefined])
  })

  it('may be a Unix socket, which is never encrypted', () => {
    const { host, ssl } = parsePostgresUrl(
      'postgres://me@localhost/db?host=/run/postgresql&sslmode=verify-full',
    )
    assert.deepEqual([host, ssl], ['/run/postgresql', false])
  })

  it('says by sslmode and files how the server is told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deckwatch-url-'))
    const file = join(folder, 'ca.crt')
    writeFileSync(file, 'THE CA')
    const ssl = (query: string) => parsePostgresUrl(`postgres://me@db/x?${query}`).ssl
    const facts = (query: string): unknown => {
      const found = ssl(query)
      return found && [found.rejectUnauthorized, found.checkServerIdentity === undefined, found.ca]
    }
    assert.equal(ssl('sslmode=disable'), false)
    assert.deepEqual(facts('sslmode=require'), [false, false, undefined])
    assert.deepEqual(facts(`sslmode=require&sslrootcert=${file}`), [true, false, 'THE CA'])
    assert.deepEqual(facts(`sslmode=verify-ca&sslrootcert=${file}`), [true, false, 'THE CA'])
    assert.deepEqual(facts('sslmode=verify-full&sslrootcert=system'), [true, true, undefined])
    rmSync(folder, { recursive: true })
  })

  it('that cannot be used is told without its password', () => {
    const cases: readonly (readonly [url: string, why: RegExp])[] = [
      ['postgres://me:hunter2@', /names no host|no URL/],
      ['mysql://me:hunter2@db/x', /no URL of the form/],
      ['hunter2', /no URL of the form/],
      ['postgres://me:hunter2@db:port/x', /no URL of the form/],
      ['postgres://me:hunter2%@db/x', /no two hexadecimal digits/],
      ['postgres://me:hunter2@db/x?sslmode=prefer', /sslmode is "prefer"/],
      ['postgres://me:hunter2@db/x?pool_size=3', /"pool_size"/],
      [
        'postgres://me:hunter2@db/x?sslmode=verify-ca&sslrootcert=/nowhere/ca',
        /\/nowhere\/ca cannot be read/,
      ],
    ]
    for (const [url, why] of cases) {
      assert.throws(
        () => parsePostgresUrl(url),
        (error) => {
          assert.ok(error instanceof Error)
          assert.match(error.message, why)
          assert.doesNotMatch(inspect(error, { depth: 9 }), /hunter2/)
          return true
        },
      )
    }
  })
})
