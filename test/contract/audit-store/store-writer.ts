// Writes changes until it is killed or the disk is full, and prints the seq of each once it is kept: the other half of
// sqlite-audit-store.test.ts. With `tries`, it goes on so often after a full disk, once a line comes on stdin.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { StoreFull } from '../../../server/kit/store/store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { batch, change, knownAs } from './sample-changes.ts'

const [folder = '', tries = '0'] = process.argv.slice(2)
const store = await openAuditStore({ folder, url: '' }, { clock: systemClock, log: recordedLog() })
let seq = ((await store.position(7))?.seq ?? 0) + 1
let left = Number(tries)
for (;;) {
  const added = [seq, seq + 1, seq + 2].map((one) =>
    change(one, { changes: [{ path: 'a', op: 'add', to: 'x'.repeat((one * 37) % 900) }] }),
  )
  const last = seq + 2
  const known = [knownAs(change(last).object, { hash: String(last) })]
  const position = { writer: 7, position: { segment: 1, offset: last }, seq: last }
  try {
    await store.commit(batch({ added, known, position }))
  } catch (error) {
    if (!(error instanceof StoreFull) || left === 0) throw error
    left -= 1
    writeSync(1, 'full\n')
    await once(process.stdin, 'data')
    continue
  }
  writeSync(1, `${last}\n`)
  seq = last + 1
  if (tries !== '0' && left === 0 && seq % 300 === 1) break
}
await store.close()
process.stdin.destroy()
