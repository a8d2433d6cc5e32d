// Fills a small file system and goes on: the other half of store.test.ts. Prints what it saw as one JSON object.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { StoreFull, type StoreOptions } from '../../../server/kit/store/store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

const [folder = ''] = process.argv.slice(2)
const ballast = join(folder, 'ballast')
writeFileSync(ballast, Buffer.alloc(400_000))
const options: StoreOptions = {
  folder,
  name: 'full',
  migrations: [{ name: 'rows', sql: 'CREATE TABLE row (n INTEGER PRIMARY KEY, text TEXT)' }],
}
const open = () => openStore(options, { clock: systemClock, log: recordedLog() })
let store = open()
const count = () => Number(store.statement('SELECT count(*) AS n FROM row').get()?.['n'])
const writeTwo = () =>
  store.write(() => {
    const insert = store.statement('INSERT INTO row (text) VALUES (?)')
    insert.run('a'.repeat(5000))
    insert.run('b'.repeat(5000))
  })
const fill = (): { kept: number; error: unknown } => {
  for (let kept = 0; kept < 10_000; kept += 2) {
    try {
      writeTwo()
    } catch (error) {
      return { kept, error }
    }
  }
  return { kept: 10_000, error: undefined }
}

const first = fill()
const readable = count()
const again = fill()
// As after a kill -9: nothing is merged, and the disk is still full.
const reopened = (() => {
  store.close()
  store = open()
  return { rows: count(), setAside: store.setAside }
})()
rmSync(ballast)
writeTwo()
const recovered = count()
const check = store.statement('PRAGMA integrity_check').get()
store.close()
process.stdout.write(
  JSON.stringify({
    kept: first.kept,
    full: first.error instanceof StoreFull,
    readable,
    stillFull: again.error instanceof StoreFull,
    inAll: first.kept + again.kept,
    reopened,
    recovered,
    check,
  }),
)
