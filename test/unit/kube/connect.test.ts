import { deepEqual, equal } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '../../../src/core/kube/connect.ts'
import type { ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { requireBun } from './bun.ts'
import type { Echo } from './contract-servers.ts'
import { startContractWorld } from './contract-world.ts'
import type { StartedWorld } from './contract-world.ts'
import { memoryEnvironment } from './memory-environment.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('connect-get.ts', import.meta.url))

interface Told {
  readonly fetch: boolean
  readonly echo: Echo
}

describe('connect', () => {
  let world: StartedWorld
  before(async function () {
    world = await startContractWorld(this)
  })
  after(() => world?.stop())

  /** Runs one GET in a process of its own, which must end by itself although its connection stays open. */
  async function get(
    runtime: string,
    overrides: ConnectionOverrides = {},
    variables: Record<string, string> = {},
  ): Promise<Told> {
    const { servers, certificates } = world.data
    const all = {
      server: servers.tls,
      certificateAuthority: `${certificates}/ca.crt`,
      token: 't',
      ...overrides,
    }
    const { stdout } = await run(runtime, [script, '/echo', JSON.stringify(all)], {
      env: { PATH: process.env['PATH'], ...variables },
      timeout: 15_000,
    })
    const { fetch, body } = JSON.parse(stdout) as { fetch: boolean; body: string }
    return { fetch, echo: JSON.parse(body) as Echo }
  }

  const sent = ({ echo }: Told, name: string): string[] =>
    echo.headers.filter((_, at) => at % 2 === 1 && echo.headers[at - 1]?.toLowerCase() === name)

  it('sends nothing and reads nothing until the first request', async () => {
    const environment = memoryEnvironment({
      files: { '/ca': 'ca' },
    })
    const connection = await loadConnection(
      { server: 'https://kube.test', certificateAuthority: '/ca' },
      environment,
    )
    const silent = {
      ...environment,
      readFile: () => {
        throw new Error('read')
      },
    }
    connect(connection, { environment: silent }).close()
  })

  it('lets the process end by itself under Node', async () => {
    const told = await get(process.execPath)
    deepEqual([told.fetch, sent(told, 'user-agent')], [false, ['connect/1']])
  })

  describe('under Bun', () => {
    let bun: string
    before(function () {
      bun = requireBun(this)
    })

    it('goes by fetch', async () => {
      const told = await get(bun)
      deepEqual([told.fetch, told.echo.url, sent(told, 'authorization')], [true, '/echo', ['Bearer t']])
    })

    it('goes by node:https for what fetch would send otherwise', async () => {
      const groups = await get(bun, { as: 'eve', asGroups: ['a', 'b'] })
      deepEqual([groups.fetch, sent(groups, 'impersonate-group')], [false, ['a', 'b']])
      const letters = await get(bun, { as: 'jürgen' })
      deepEqual(
        [letters.fetch, sent(letters, 'impersonate-user')],
        [false, [Buffer.from('jürgen').toString('latin1')]],
      )
      const address = await get(bun, { tlsServerName: '127.0.0.1' })
      deepEqual([address.fetch, address.echo.url], [false, '/echo'])
    })

    it('obeys proxies by Go’s rules, not by fetch’s own', async () => {
      const nowhere = { HTTPS_PROXY: 'http://127.0.0.1:1' }
      const loopback = await get(bun, {}, nowhere)
      deepEqual([loopback.fetch, loopback.echo.url], [false, '/echo'])
      const [proxy = ''] = world.data.proxies
      const server = world.data.servers.tls.replace('127.0.0.1', 'kube.test')
      equal((await get(bun, { server }, { https_proxy: proxy })).echo.url, '/echo')
    })
  })
})
