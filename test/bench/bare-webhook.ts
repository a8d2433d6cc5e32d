import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SERVER_NODE_FLAGS } from '../../scripts/bundle/server-node-flags.ts'
import { createJournalReader } from '../../server/audit-log/journal/journal-reader.ts'
import type { JournalPosition } from '../../server/audit-log/journal/journal.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { recordedLog } from '../kit/recorded-log.ts'

/** A webhook that runs: where, as which process, and how many reviews it has kept for good. */
export interface RunningWebhook {
  readonly url: string
  readonly pid: number | undefined
  kept?(): number
  stop(): Promise<void>
}

/** Starts the listener alone, which only answers or also keeps what it is sent. */
export async function startBareWebhook(
  { authority }: Pick<ControlPlane, 'authority'>,
  mode: 'answer' | 'record',
): Promise<RunningWebhook> {
  const folder = mkdtempSync(join(tmpdir(), 'deckwatch-bench-journal-'))
  const { certificate, key } = authority.issue({ commonName: 'bare', hosts: ['127.0.0.1'] })
  const program = join(import.meta.dirname, 'programs', 'audit-webhook.ts')
  const child = spawn(process.execPath, [...SERVER_NODE_FLAGS, program, mode, folder], {
    env: { ...process.env, BARE_CERT: certificate, BARE_KEY: key },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    url: `https://127.0.0.1:${String(port).trim()}/audit/bench`,
    pid: child.pid,
    ...(mode === 'record' ? { kept: () => entriesIn(folder) } : {}),
    async stop() {
      child.kill()
      await once(child, 'exit')
      rmSync(folder, { recursive: true })
    },
  }
}

function entriesIn(folder: string): number {
  const reader = createJournalReader({ folder, log: recordedLog() })
  let count = 0
  for (let position: JournalPosition | undefined; ;) {
    const found = reader.read(position)
    if (found.length === 0) return count
    count += found.length
    position = found.at(-1)?.end
  }
}
