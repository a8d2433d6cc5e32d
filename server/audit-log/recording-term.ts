import { randomInt } from 'node:crypto'
import type { ChangeExporter } from './export/change-exporter.ts'
import type { HeardFacts } from './heard-facts.ts'
import type { RecorderReporter } from './recorder-reporter.ts'
import { Recorder, type RecorderDeps } from './recorder/recorder.ts'
import { Standstill } from './standstill.ts'

/** What recording stands on, from its start to its end. */
export interface RecordingTermDeps extends Omit<RecorderDeps, 'writers' | 'failing' | 'told'> {
  /** Of this process's journal. */
  readonly writer: number
  /** Tells a collector; undefined where there is none. */
  readonly exporter: ChangeExporter | undefined
  readonly heard: HeardFacts
  readonly tell: RecorderReporter['tell']
}

const MAX_WRITER = 2 ** 31

/** One term of recording: a recorder, who exports what it keeps, and who notices that the process stood still. */
export class RecordingTerm {
  readonly recorder: Recorder
  readonly #standstill: Standstill
  readonly #over = new AbortController()
  #signal = this.#over.signal
  #exporting: Promise<void> | undefined

  constructor(deps: RecordingTermDeps) {
    const { writer, exporter, heard, tell, ...recording } = deps
    heard.begin()
    this.#standstill = new Standstill(deps.clock)
    this.recorder = new Recorder({
      ...recording,
      writers: { journal: writer, watch: randomInt(1, MAX_WRITER) },
      failing: () => heard.take() ?? (this.#standstill.take() ? 'companion stood still' : undefined),
      told: (now) => {
        tell(now, deps.store, exporter)
        // Before that, this process may not be the one who writes.
        if (now.ready.ok) this.#exporting ??= exporter?.run(this.#signal)
      },
    })
  }

  /** Records until the signal aborts; rejects with what no waiting heals. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = AbortSignal.any([signal, this.#over.signal])
    const looking = this.#standstill.run(this.#signal)
    try {
      await this.recorder.run(this.#signal)
    } finally {
      this.#over.abort()
      await Promise.all([this.#exporting, looking])
    }
  }
}
