import type { ProbeAnswer } from './room.ts'

/** One named probe of /livez, /readyz and /statusz. */
export interface Probe {
  readonly name: string
  ready(): ProbeAnswer
  alive(): ProbeAnswer
}

/** All probes of one process, answered in the form of kube-apiserver's /readyz?verbose. */
export interface Health {
  /** `verbose` lists each probe with its reason, also where all is well. */
  answer(
    which: 'livez' | 'readyz',
    options: { readonly verbose: boolean },
  ): { readonly ok: boolean; readonly text: string }
}

/** The health of a process: ready, or alive, is what every probe is. */
export function createHealth(probes: readonly Probe[]): Health {
  return {
    answer(which, { verbose }) {
      const answers = probes.map((probe) => ({
        name: probe.name,
        ...(which === 'readyz' ? probe.ready() : probe.alive()),
      }))
      const ok = answers.every((answer) => answer.ok)
      if (ok && !verbose) return { ok, text: 'ok' }
      const lines = answers.map(({ name, ok: good, reason }) => `[${good ? '+' : '-'}]${name} ${reason}`)
      return { ok, text: `${lines.join('\n')}\n${which} check ${ok ? 'passed' : 'failed'}\n` }
    },
  }
}
