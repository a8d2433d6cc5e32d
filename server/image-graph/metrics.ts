import { Counter, Gauge, Histogram, type MetricsRegistry } from '../kit/metrics.ts'
import type { UnnumberedEvent } from './journal-events.ts'
import type { Published } from './published.ts'

/** What the image graph counts and measures; names of images are no labels, since nothing bounds them. */
export interface ImageGraphMetrics {
  /** What is in use now, and what the journal holds. */
  state(published: Published, pods: number): void
  /** Events that were committed, after so many seconds of work, the oldest of them so many seconds after it was seen. */
  committed(events: readonly UnnumberedEvent[], seconds: number, lagSeconds: number | undefined): void
}

/** Registers the image graph's metrics; all series are there from the start. */
export function createImageGraphMetrics(registry: MetricsRegistry): ImageGraphMetrics {
  const registers = [registry]
  const images = new Gauge({
    name: 'deckwatch_images',
    help: 'Image references in use: in the cluster, or summed over its namespaces.',
    labelNames: ['scope'],
    registers,
  })
  const imagePods = new Gauge({
    name: 'deckwatch_image_pods',
    help: 'Pods that use images, finished ones included.',
    registers,
  })
  const changes = new Counter({
    name: 'deckwatch_image_changes_total',
    help: 'Images that came into use (+) or went out of use (-), in the cluster or in a namespace.',
    labelNames: ['op', 'scope'],
    registers,
  })
  const events = new Gauge({
    name: 'deckwatch_image_journal_events',
    help: 'Events that the history of images holds.',
    registers,
  })
  const bytes = new Gauge({
    name: 'deckwatch_image_journal_bytes',
    help: "Bytes in use in the image graph's store.",
    registers,
  })
  const begins = new Gauge({
    name: 'deckwatch_image_journal_begin_timestamp_seconds',
    help: 'Since when the history of images is whole.',
    registers,
  })
  const lastEvent = new Gauge({
    name: 'deckwatch_image_last_event_timestamp_seconds',
    help: 'When the last event of the history was seen; 0 before the first since the start.',
    registers,
  })
  const commits = new Histogram({
    name: 'deckwatch_image_commit_duration_seconds',
    help: 'How long writing one step to the store took.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  })
  const lag = new Histogram({
    name: 'deckwatch_image_feed_lag_seconds',
    help: 'How long after it was seen a change of a pod was committed.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers,
  })
  const unwritable = new Gauge({
    name: 'deckwatch_image_journal_full',
    help: '1 while the store has no space and nothing is recorded.',
    registers,
  })
  for (const scope of ['cluster', 'namespace']) {
    images.set({ scope }, 0)
    for (const op of ['+', '-']) changes.inc({ op, scope }, 0)
  }
  return {
    state(published, pods) {
      images.set({ scope: 'cluster' }, published.count('clusterimages'))
      images.set({ scope: 'namespace' }, published.count('images'))
      imagePods.set(pods)
      const { state, usedBytes } = published.journal
      events.set(state.events)
      bytes.set(usedBytes)
      begins.set(state.begins / 1000)
      unwritable.set(published.fullSince === undefined ? 0 : 1)
    },
    committed(committed, seconds, lagSeconds) {
      commits.observe(seconds)
      if (lagSeconds !== undefined) lag.observe(lagSeconds)
      for (const { op, cluster, time } of committed) {
        changes.inc({ op, scope: 'namespace' })
        if (cluster) changes.inc({ op, scope: 'cluster' })
        lastEvent.set(time / 1000)
      }
    },
  }
}
