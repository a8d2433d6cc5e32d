import {
  companionIsGone,
  companionPath,
  companionPurpose,
  listCompanion,
  type CompanionCollection,
} from '../../../core/kube/companion.ts'
import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { followJournal } from '../../../core/kube/journal-watch.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import type { DeckList, Image, ImageEvent, ServedImageList } from '../../../core/wire/image.ts'
import type { CompanionPorts, ServedImages } from '../../features/images/companion-ports.ts'

/** Records in one page: some hundred kilobytes each, so that the first lines come soon. */
const EVENTS_PAGE = 2000

/** What the ports stand on. */
export interface CompanionPortsOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly clock: Clock
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined
}

/** The images features' view of a real companion. */
export function companionPorts(options: CompanionPortsOptions): CompanionPorts {
  const { transport, connection, clock, namespace } = options
  const collection = (resource: string): CompanionCollection => ({
    resource: namespace === undefined ? `cluster${resource}` : resource,
    namespace,
    identity: connection,
  })
  const images = collection('images')
  const events = collection('imageevents')

  async function listImages(signal: AbortSignal): Promise<ServedImages> {
    const items: Image[] = []
    const warnings = new Set<string>()
    let last: ServedImageList | undefined
    for await (const page of listCompanion<ServedImageList>(transport, images, {}, { signal, clock })) {
      last = page.list
      items.push(...last.items)
      for (const warning of page.warnings) warnings.add(warning)
    }
    const { summary, metadata } = last ?? {}
    if (!summary || !metadata?.resourceVersion) throw strange('its list of images has no summary')
    return { items, summary, resourceVersion: metadata.resourceVersion, warnings: [...warnings] }
  }

  return {
    listImages,
    async *listEvents(since, signal) {
      const query = { sinceTime: new Date(since).toISOString(), limit: String(EVENTS_PAGE) }
      for await (const { list, warnings } of listCompanion<DeckList<ImageEvent>>(transport, events, query, {
        signal,
        clock,
      })) {
        const resourceVersion = list.metadata?.resourceVersion
        if (!resourceVersion) throw strange('its list of events has no resourceVersion')
        // By number: as text 10 comes before 9.
        const ordered = list.items.toSorted((a, b) => sequenceOf(a) - sequenceOf(b))
        yield { events: ordered, resourceVersion, warnings }
      }
    },
    followEvents: (resourceVersion, signal) =>
      followJournal<ImageEvent, ServedImages>({
        transport,
        source: { path: companionPath(events), purpose: companionPurpose(events) },
        read: (object) => object as ImageEvent,
        resourceVersion,
        relist: listImages,
        isGone: (asking) => companionIsGone(transport, connection, asking),
        clock,
        signal,
      }),
  }
}

function sequenceOf({ metadata }: ImageEvent): number {
  return Number(metadata?.name)
}

function strange(detail: string): DeckError {
  return new DeckError('KUBE_PROTOCOL', `the companion is not understood: ${detail}`, {
    hint: 'Its version may be another one than this command has: kubectl deckwatch status',
  })
}
