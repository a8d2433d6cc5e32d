import { readFileSync } from 'node:fs'

/** Names one process for good: pids are reused, but a pid with its start time within one boot is not. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot (field 22 of proc_pid_stat(5)). */
  readonly startTicks: string
  /** First eight characters of the kernel's boot id. */
  readonly boot: string
}

/** The identity of a living process, or undefined when there is none (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The command's name stands in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = fields[19]
  if (fields[0] === 'Z' || fields[0] === 'X' || startTicks === undefined) return undefined
  return { pid, startTicks, boot: bootId() }
}

/** Whether exactly this process still lives. */
export function isAlive(process: ProcessIdentity): boolean {
  const now = identifyProcess(process.pid)
  return now !== undefined && now.startTicks === process.startTicks && now.boot === process.boot
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
}
