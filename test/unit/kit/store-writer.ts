// Writes numbered rows until it is killed, and prints each number once it is kept: the other half of store.test.ts.
import { writeSync } from 'node:fs'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

const [folder = ''] = process.argv.slice(2)
const store = openStore(
  {
    folder,
    name: 'numbers',
    migrations: [{ name: 'numbers', sql: 'CREATE TABLE number (n INTEGER PRIMARY KEY, text TEXT)' }],
  },
  { clock: systemClock, log: recordedLog() },
)
const last = store.statement('SELECT max(n) AS n FROM number').get()
const insert = store.statement('INSERT INTO number VALUES (?, ?)')
for (let n = Number(last?.['n'] ?? 0) + 1; ; n += 3) {
  store.write(() => {
    for (let row = n; row < n + 3; row++) insert.run(row, 'x'.repeat(row % 900))
  })
  writeSync(1, `${n + 2}\n`)
}
