import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identifyProcess, isAlive } from './kubernetes/process-identity.ts'

const PREFIX = 'deckwatch-postgres-'

/** PostgreSQL and PgBouncer refuse to run as root: as that, what runs is put behind this, which stays the same process. */
export function asPostgresUser(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
}

/** A folder of the user `postgres`, outside the kit's own folder, into which only this user may look. */
export class PostgresFolder {
  readonly path: string

  constructor() {
    const me = identifyProcess(process.pid)
    if (!me) throw new Error('the test kit needs Linux: it knows processes by /proc')
    const name = `${PREFIX}${me.boot}-${me.pid}-${me.startTicks}-${randomBytes(3).toString('hex')}`
    this.path = join(tmpdir(), name)
    mkdirSync(this.path, { mode: 0o700 })
    giveAway(this.path)
  }

  file(...names: readonly string[]): string {
    return join(this.path, ...names)
  }

  /** Writes a file that nobody else may read; gives its path. */
  write(name: string, text: string): string {
    const path = this.file(name)
    writeFileSync(path, text, { mode: 0o600 })
    giveAway(path)
    return path
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Removes what runs that were killed have left; their processes are ended already. */
export function removeLeftFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const [boot, pid, startTicks] = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-') : []
    if (boot === undefined || startTicks === undefined) continue
    if (isAlive({ boot, pid: Number(pid), startTicks })) continue
    rmSync(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 5 })
  }
}

function giveAway(path: string): void {
  if (process.getuid?.() !== 0) return
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  chownSync(path, id('-u'), id('-g'))
}
