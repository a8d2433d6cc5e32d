import { argv, stdout } from 'node:process'
import { createFetchTransport } from '../../../src/core/kube/fetch-transport.ts'
import { createHttpsTransport } from '../../../src/core/kube/https-transport.ts'
import { PROXY_CONTRACT, TRANSPORT_CONTRACT } from './transport-contract.ts'
import type { ContractData } from './transport-contract.ts'

// Run by Bun: the cases of the contract against one implementation, one line of JSON for each.
const [, , implementation, data = ''] = argv
const world = {
  ...(JSON.parse(data) as ContractData),
  create: implementation === 'fetch' ? createFetchTransport : createHttpsTransport,
}
const cases = implementation === 'fetch' ? TRANSPORT_CONTRACT : [...TRANSPORT_CONTRACT, ...PROXY_CONTRACT]
for (const { name, run } of cases) {
  let error: string | undefined
  try {
    await run(world)
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
  stdout.write(`${JSON.stringify({ name, error })}\n`)
}
