import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { freePorts } from '../../kit/kubernetes/free-ports.ts'

const MODULE = new URL('../../kit/kubernetes/free-ports.ts', import.meta.url)
const ASKING = `
const { freePorts } = await import(${JSON.stringify(MODULE.href)})
console.log(JSON.stringify(await freePorts(20)))
process.stdin.resume()
`

describe('the ports of the tests', () => {
  it('are not those of any other process, as long as that lives', async () => {
    const others = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['--input-type=module', '--eval', ASKING], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )
    try {
      const lines = await Promise.all(
        others.map(async ({ stdout }) => (await once(createInterface(stdout), 'line')) as [string]),
      )
      const taken = lines.map(([line]) => JSON.parse(line) as number[])
      const all = [...taken.flat(), ...(await freePorts(20))]
      assert.equal(new Set(all).size, 80)
    } finally {
      for (const other of others) {
        other.stdin.end()
        await once(other, 'close')
      }
    }
  })

  it('are none on which somebody listens, and not given again at once', async () => {
    const [first = 0] = await freePorts(1)
    const server = createServer().listen(first + 1, '127.0.0.1')
    await once(server, 'listening')
    try {
      const next = await freePorts(50)
      assert.ok(!next.includes(first) && !next.includes(first + 1), `${first} of ${next.join()}`)
    } finally {
      server.close()
      await once(server, 'close')
    }
  })
})
