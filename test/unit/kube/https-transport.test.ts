import { createHttpsTransport } from '../../../src/core/kube/https-transport.ts'
import { startContractWorld } from './contract-world.ts'
import type { StartedWorld } from './contract-world.ts'
import { PROXY_CONTRACT, TRANSPORT_CONTRACT } from './transport-contract.ts'

describe('the transport over node:https', () => {
  let world: StartedWorld

  before(async function () {
    world = await startContractWorld(this)
  })
  after(() => world?.stop())

  for (const { name, run } of [...TRANSPORT_CONTRACT, ...PROXY_CONTRACT]) {
    it(name, () => run({ ...world.data, create: createHttpsTransport }))
  }
})
