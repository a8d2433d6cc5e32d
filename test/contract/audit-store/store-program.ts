// Keeps one change in a folder or a database and prints what came of it: the other half of store-program.test.ts.
import { createRequire } from 'node:module'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { batch, change } from './sample-changes.ts'

const [place = '', file = ''] = process.argv.slice(2)

async function run(): Promise<void> {
  const at = place.startsWith('postgres:') ? { folder: '', url: place } : { folder: place, url: '' }
  const store = await openAuditStore(at, { clock: systemClock, log: recordedLog() })
  await store.claim()
  const { number, trimmed } = await store.commit(batch({ added: [change(1)] }))
  await store.close()
  const loaded = Object.keys(createRequire(file).cache).some((path) => path.includes('/node_modules/pg/'))
  process.stdout.write(JSON.stringify({ kept: number - trimmed, driverIsLoaded: loaded }))
}

void run()
