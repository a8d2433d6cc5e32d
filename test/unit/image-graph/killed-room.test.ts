import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('killed-room.ts', import.meta.url))
const ROUNDS = 5

describe('the image graph, killed while it writes', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-killed-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs the program and gives the whole lines that it printed; killed `killAfterMs` after its first line. */
  async function run(seed: number, mode: 'churn' | 'settle', killAfterMs?: number): Promise<string[]> {
    // A file, since a pipe may be full.
    const printed = join(folder, `printed-${seed}`)
    const output = openSync(printed, 'w')
    const child = spawn(process.execPath, [PROGRAM, join(folder, 'data'), String(seed), mode], {
      stdio: ['ignore', output, 'inherit'],
    })
    closeSync(output)
    const exited = once(child, 'exit')
    if (killAfterMs !== undefined) {
      while (statSync(printed).size === 0 && child.exitCode === null) await delay(5)
      await delay(killAfterMs)
      child.kill('SIGKILL')
    }
    const [code] = (await exited) as [number | null]
    assert.equal(code, killAfterMs === undefined ? 0 : null)
    // A line without its end was cut by the kill.
    return readFileSync(printed, 'utf8').split('\n').slice(0, -1)
  }

  it('loses and doubles nothing that it told, and what it keeps adds up to what is in use', async function () {
    this.timeout(90_000)
    const told = new Map<string, string>()
    const note = (line: string): void => {
      const [number = ''] = line.split(' ', 1)
      assert.equal(told.get(number) ?? line, line, 'a number means the same for ever')
      told.set(number, line)
    }
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const line of await run(round, 'churn', 40 + ((round * 97) % 260))) note(line)
    }
    const lines = await run(ROUNDS + 1, 'settle')
    const inUse = lines.pop()
    const journal = new Map(lines.map((line) => [line.split(' ', 1)[0] ?? '', line]))
    for (const [number, line] of told) assert.equal(journal.get(number), line, 'what was told is kept')
    assert.ok(journal.size > 100, `${journal.size} events`)
    const found = new Set<string>()
    for (const line of journal.values()) {
      const [, op, image = '', namespace = ''] = /^\d+ ([+-])(\S+) ([^/]+)\//.exec(line) ?? []
      const key = `${namespace} ${image}`
      assert.equal(found.has(key), op === '-', line)
      if (op === '+') found.add(key)
      else found.delete(key)
    }
    assert.equal(`in use: ${[...found].toSorted().join(', ')}`, inUse)
  })
})
