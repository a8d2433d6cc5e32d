import { fail, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requireBun } from './bun.ts'
import { startContractWorld } from './contract-world.ts'
import type { StartedWorld } from './contract-world.ts'
import { PROXY_CONTRACT, TRANSPORT_CONTRACT } from './transport-contract.ts'

const run = promisify(execFile)

for (const [implementation, title, cases] of [
  ['fetch', 'the transport over Bun’s fetch', TRANSPORT_CONTRACT],
  ['https', 'the transport over node:https under Bun', [...TRANSPORT_CONTRACT, ...PROXY_CONTRACT]],
] as const) {
  describe(title, () => {
    let world: StartedWorld
    let results: ReadonlyMap<string, string | undefined>

    before(async function () {
      this.timeout(60_000)
      const bun = requireBun(this)
      world = await startContractWorld(this)
      const script = fileURLToPath(new URL('transport-contract-run.ts', import.meta.url))
      const { stdout } = await run(bun, [script, implementation, JSON.stringify(world.data)], {
        timeout: 60_000,
      })
      results = new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { name: string; error?: string })
          .map(({ name, error }) => [name, error]),
      )
    })
    after(() => world?.stop())

    for (const { name } of cases) {
      it(name, () => {
        ok(results.has(name), 'the case was not run')
        const error = results.get(name)
        if (error !== undefined) fail(error)
      })
    }
  })
}
