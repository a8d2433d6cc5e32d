import { Counter, Gauge, Histogram, type MetricsRegistry } from '../metrics.ts'

/** What the API counts; labels are of closed sets, whatever is asked. */
export interface ApiMetrics {
  /** `resource` is a served plural, or `other`; `verb` get, list, watch or `other`. */
  readonly requests: Counter<'resource' | 'verb' | 'code'>
  /** Seconds to the end of the answer, without watches. */
  readonly duration: Histogram<'resource' | 'verb'>
  readonly slowWatches: Counter<'resource'>
}

/** Registers them; what is open and waits is asked at each scrape. */
export function createApiMetrics(
  registry: MetricsRegistry,
  now: { readonly openWatches: () => number; readonly unsentBytes: () => number },
): ApiMetrics {
  const registers = [registry]
  const watches: Gauge = new Gauge({
    name: 'deckwatch_api_watches',
    help: 'Watches that are open.',
    registers,
    collect: () => watches.set(now.openWatches()),
  })
  const unsent: Gauge = new Gauge({
    name: 'deckwatch_api_unsent_bytes',
    help: 'Bytes of lists and watches that wait for clients to take them.',
    registers,
    collect: () => unsent.set(now.unsentBytes()),
  })
  return {
    requests: new Counter({
      name: 'deckwatch_api_requests_total',
      help: 'Requests to the API that were answered.',
      labelNames: ['resource', 'verb', 'code'],
      registers,
    }),
    duration: new Histogram({
      name: 'deckwatch_api_request_duration_seconds',
      help: 'Time to the end of the answer, of requests other than watches.',
      labelNames: ['resource', 'verb'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    slowWatches: new Counter({
      name: 'deckwatch_api_slow_watches_total',
      help: 'Watches that were ended because their client did not read what was sent.',
      labelNames: ['resource'],
      registers,
    }),
  }
}
