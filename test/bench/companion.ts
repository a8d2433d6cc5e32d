import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Companion, type CompanionOptions, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'deckwatch-server')

/** A companion as it is shipped: one file, on Node. */
export function startBuiltCompanion(
  control: ControlPlane,
  options: CompanionOptions = {},
): Promise<Companion> {
  return startCompanion(control, { program: [PROGRAM], ...options })
}

/** What a process has resident now, in bytes. */
export function residentBytes(pid: number | undefined): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}
