import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('killed-journal.ts', import.meta.url))
/** The suite of a journal that is killed so many times while it is written to, read and moved on. */
export function describeKilledJournal(rounds: number): void {
  describe(`the journal, killed ${rounds} times under load`, () => {
    let folder: string

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'deckwatch-killed-journal-'))
    })

    afterEach(() => rmSync(folder, { recursive: true, force: true }))

    /** Runs the program and gives the whole lines that it printed; killed `killAfterMs` after its first line. */
    async function run(mode: 'write' | 'drain', killAfterMs?: number): Promise<readonly string[]> {
      // A file, since a pipe may be full.
      const printed = join(folder, 'printed')
      const output = openSync(printed, 'w')
      const child = spawn(process.execPath, [PROGRAM, folder, mode], { stdio: ['ignore', output, 'inherit'] })
      closeSync(output)
      const exited = once(child, 'exit')
      if (killAfterMs !== undefined) {
        while (statSync(printed).size === 0 && child.exitCode === null) await delay(5)
        await delay(killAfterMs)
        child.kill('SIGKILL')
      }
      const [code] = (await exited) as [number | null]
      assert.equal(code, killAfterMs === undefined ? 0 : null)
      return readFileSync(printed, 'utf8').split('\n').slice(0, -1)
    }

    it('rule 4: loses nothing that was acknowledged and moves nothing twice', async function () {
      this.timeout(20_000 + rounds * 5000)
      const acknowledged = new Map<string, string>()
      for (let round = 0; round < rounds; round += 1) {
        for (const line of await run('write', 100 + Math.random() * 400)) {
          const [seq = '', uid = ''] = line.split(' ')
          assert.equal(acknowledged.has(seq), false, `seq ${seq} was given twice`)
          acknowledged.set(seq, uid)
        }
        const moved = (await run('drain')).map((line) => line.split(' '))
        const uids = new Map(moved.map(([seq = '', uid = '']) => [seq, uid]))
        assert.equal(uids.size, moved.length, 'no seq is there twice')
        assert.equal(new Set(uids.values()).size, moved.length, 'no review is there twice')
        for (const [seq, uid] of acknowledged) assert.equal(uids.get(seq), uid, `seq ${seq}, round ${round}`)
      }
      assert.ok(acknowledged.size > rounds * 20, `${acknowledged.size} acknowledged`)
    })
  })
}
