import { createHttpsTransport } from '../../../src/core/kube/https-transport.ts'
import { startContractServers } from './contract-servers.ts'
import type { ContractServers } from './contract-servers.ts'
import { makeCertificates } from './openssl-certificates.ts'
import type { Certificates } from './openssl-certificates.ts'
import { TRANSPORT_CONTRACT } from './transport-contract.ts'

describe('the transport over node:https', () => {
  let certificates: Certificates
  let servers: ContractServers

  before(async function () {
    certificates = await makeCertificates(this)
    servers = await startContractServers(certificates)
  })
  after(async () => {
    await servers?.stop()
    await certificates?.remove()
  })

  for (const { name, run } of TRANSPORT_CONTRACT) {
    it(name, () => run({ servers, certificates: certificates.folder, create: createHttpsTransport }))
  }
})
