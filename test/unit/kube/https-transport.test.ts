import { equal } from 'node:assert/strict'
import { transportOptions } from '../../../src/core/kube/connect.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { createHttpsTransport } from '../../../src/core/kube/https-transport.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { readAll } from '../../../src/core/kube/transport.ts'
import type { Echo } from './contract-servers.ts'
import { startContractWorld } from './contract-world.ts'
import type { StartedWorld } from './contract-world.ts'
import { PROXY_CONTRACT, TRANSPORT_CONTRACT } from './transport-contract.ts'

describe('the transport over node:https', () => {
  let world: StartedWorld

  before(async function () {
    world = await startContractWorld(this)
  })
  after(() => world?.stop())

  it('sends letters beyond ASCII alike with a body and without', async () => {
    const { servers, certificates } = world.data
    const connection = await loadConnection(
      { server: servers.tls, certificateAuthority: `${certificates}/ca.crt`, as: 'jürgen' },
      { ...processEnvironment(), home: undefined, variables: {} },
    )
    const transport = createHttpsTransport(await transportOptions(connection))
    for (const body of [undefined, '{"é":1}']) {
      const response = await transport.send({ path: '/', ...(body ? { method: 'POST', body } : {}) })
      const echo = JSON.parse(Buffer.from(await readAll(response.body)).toString('utf8')) as Echo
      const user = echo.headers[echo.headers.findIndex((name) => name === 'impersonate-user') + 1] ?? ''
      equal(Buffer.from(user, 'latin1').toString('utf8'), 'jürgen')
    }
    transport.close()
  })

  for (const { name, run } of [...TRANSPORT_CONTRACT, ...PROXY_CONTRACT]) {
    it(name, () => run({ ...world.data, create: createHttpsTransport }))
  }
})
