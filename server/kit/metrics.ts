import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Where the companion's metrics are registered; every name begins with `deckwatch_`. */
export type MetricsRegistry = Registry

export { Counter, Gauge, Histogram }

/** An empty registry: one a process, handed to each room. */
export function createMetricsRegistry(): MetricsRegistry {
  return new Registry()
}

/** Adds what the process itself tells: CPU, memory, garbage collection, delay of the event loop, and its build. */
export function addProcessMetrics(registry: MetricsRegistry, version: string): void {
  collectDefaultMetrics({ register: registry, prefix: 'deckwatch_' })
  new Gauge({
    name: 'deckwatch_build_info',
    help: 'Always 1; the version of deckwatch and of Node.js are its labels.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1)
}
