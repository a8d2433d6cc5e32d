import { startContractServers } from './contract-servers.ts'
import { makeCertificates } from './openssl-certificates.ts'
import { startHttpProxy, startHttpsProxy, startSocksProxy } from './small-proxies.ts'
import type { ContractData } from './transport-contract.ts'

/** Everything that the transport contract runs against, on loopback. */
export interface StartedWorld {
  readonly data: ContractData
  stop(): Promise<void>
}

/** Starts servers and proxies with certificates of their own; skips the suite where openssl is missing. */
export async function startContractWorld(context: Mocha.Context): Promise<StartedWorld> {
  const certificates = await makeCertificates(context)
  const servers = await startContractServers(certificates)
  const proxies = await Promise.all([startHttpProxy(), startHttpsProxy(certificates), startSocksProxy()])
  return {
    data: { servers, certificates: certificates.folder, proxies: proxies.map(({ url }) => url) },
    async stop() {
      await Promise.all([servers.stop(), ...proxies.map((proxy) => proxy.stop())])
      await certificates.remove()
    },
  }
}
