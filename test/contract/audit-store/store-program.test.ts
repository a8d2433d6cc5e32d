import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleServer } from '../../../scripts/bundle/server-bundle.ts'
import { type PostgresServer, requirePostgres } from '../../kit/postgres.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PROGRAM = fileURLToPath(new URL('store-program.ts', import.meta.url))

describe("the database's driver", () => {
  let server: PostgresServer
  let folder: string
  before(async function () {
    this.timeout(300_000)
    server = await requirePostgres(this)
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-driver-'))
  })
  after(async () => {
    if (folder) rmSync(folder, { recursive: true })
    await server?.stop()
  })

  const run = (program: string, place: string, env: Readonly<Record<string, string>> = {}): unknown =>
    JSON.parse(
      execFileSync(process.execPath, [program, place, PROGRAM], {
        encoding: 'utf8',
        cwd: folder,
        env: { ...process.env, ...env },
      }),
    )

  it('is loaded only where a database is configured', async () => {
    assert.deepEqual(run(PROGRAM, join(folder, 'data')), { kept: 1, driverIsLoaded: false })
    assert.deepEqual(run(PROGRAM, await server.createDatabase()), { kept: 1, driverIsLoaded: true })
  })

  it('takes the password from the environment where the address has none', async () => {
    const url = (await server.createDatabase()).replace(`:${server.password}@`, '@')
    assert.deepEqual(run(PROGRAM, url, { PGPASSWORD: server.password }), { kept: 1, driverIsLoaded: true })
  })

  it('is in the one file that the companion is, which needs no other', async () => {
    const { program } = await bundleServer(ROOT, 'test/contract/audit-store/store-program.ts')
    const file = join(folder, 'program.cjs')
    writeFileSync(file, program)
    assert.deepEqual(run(file, await server.createDatabase()), { kept: 1, driverIsLoaded: false })
    assert.deepEqual(run(file, join(folder, 'bundled')), { kept: 1, driverIsLoaded: false })
  })
})
