import { fail, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requireBun } from './bun.ts'
import { startContractServers } from './contract-servers.ts'
import type { ContractServers } from './contract-servers.ts'
import { makeCertificates } from './openssl-certificates.ts'
import type { Certificates } from './openssl-certificates.ts'
import { TRANSPORT_CONTRACT } from './transport-contract.ts'

const run = promisify(execFile)

for (const [implementation, title] of [
  ['fetch', 'the transport over Bun’s fetch'],
  ['https', 'the transport over node:https under Bun'],
] as const) {
  describe(title, () => {
    let certificates: Certificates
    let servers: ContractServers
    let results: ReadonlyMap<string, string | undefined>

    before(async function () {
      this.timeout(60_000)
      const bun = requireBun(this)
      certificates = await makeCertificates(this)
      servers = await startContractServers(certificates)
      const script = fileURLToPath(new URL('transport-contract-run.ts', import.meta.url))
      const data = JSON.stringify({ servers, certificates: certificates.folder })
      const { stdout } = await run(bun, [script, implementation, data], { timeout: 60_000 })
      results = new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { name: string; error?: string })
          .map(({ name, error }) => [name, error]),
      )
    })
    after(async () => {
      await servers?.stop()
      await certificates?.remove()
    })

    for (const { name } of TRANSPORT_CONTRACT) {
      it(name, () => {
        ok(results.has(name), 'the case was not run')
        const error = results.get(name)
        if (error !== undefined) fail(error)
      })
    }
  })
}
