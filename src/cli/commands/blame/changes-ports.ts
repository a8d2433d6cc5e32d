import {
  companionIsGone,
  companionPath,
  companionPurpose,
  listCompanion,
  type CompanionCollection,
} from '../../../core/kube/companion.ts'
import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { followJournal } from '../../../core/kube/journal-watch.ts'
import { requestJson } from '../../../core/kube/json-request.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import type { Change, ChangeListExtra } from '../../../core/wire/change.ts'
import type { DeckList } from '../../../core/wire/image.ts'
import type { ChangesPage, ChangesPorts, ChangesQuery } from '../../features/blame/ports.ts'

/** Changes in one page: some hundred kilobytes, so that the first lines come soon. */
const PAGE = 250

/** What the ports stand on. */
export interface ChangesPortsOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly clock: Clock
}

/** The blame features' view of a real companion. */
export function changesPorts({ transport, connection, clock }: ChangesPortsOptions): ChangesPorts {
  const collectionOf = (namespace: string | undefined): CompanionCollection => ({
    resource: changesResource(namespace),
    namespace,
    identity: connection,
  })

  async function* listChanges(query: ChangesQuery, signal: AbortSignal): AsyncGenerator<ChangesPage> {
    const search = { ...searchOf(query), limit: String(PAGE) }
    const collection = collectionOf(query.namespace)
    for await (const { list, warnings } of listCompanion<ServedChangeList>(transport, collection, search, {
      signal,
      clock,
    })) {
      yield pageOf(list, warnings)
    }
  }

  return {
    listChanges,
    async getChange(namespace, name, signal) {
      const collection = collectionOf(namespace)
      try {
        return await requestJson<Change>(transport, {
          path: `${companionPath(collection)}/${encodeURIComponent(name)}`,
          purpose: { verb: 'get', name, ...companionPurpose(collection) },
          signal,
        })
      } catch (error) {
        if (error instanceof DeckError && error.code === 'KUBE_NOT_FOUND') return undefined
        throw error
      }
    },
    followChanges(query, resourceVersion, signal) {
      const collection = collectionOf(query.namespace)
      return followJournal<Change, ChangesPage>({
        transport,
        source: {
          path: companionPath(collection),
          purpose: companionPurpose(collection),
          fieldSelector: fieldSelectorOf(query),
        },
        read: (object) => object as Change,
        resourceVersion,
        relist: async (asking) => {
          for await (const page of listChanges(query, asking)) return page
          throw strange('its list of changes has no page')
        },
        isGone: (asking) => companionIsGone(transport, connection, asking),
        clock,
        signal,
      })
    },
  }
}

/** The plural that has the changes of one namespace, or of all objects. */
export function changesResource(namespace: string | undefined): string {
  return namespace === undefined ? 'clusterchanges' : 'changes'
}

type ServedChangeList = DeckList<Change> & Partial<ChangeListExtra>

function pageOf(list: ServedChangeList, warnings: readonly string[]): ChangesPage {
  const { items, metadata, recordingSince, gaps, touched, kept, unrecorded } = list
  if (!metadata?.resourceVersion) throw strange('its list of changes has no resourceVersion')
  if (recordingSince === undefined || !gaps) {
    throw strange('its list of changes does not say since when they are recorded')
  }
  return {
    changes: items,
    resourceVersion: metadata.resourceVersion,
    recordingSince,
    gaps,
    warnings,
    ...(touched === undefined ? {} : { touched }),
    ...(kept === undefined ? {} : { kept }),
    ...(unrecorded === undefined ? {} : { unrecorded }),
  }
}

function searchOf(query: ChangesQuery): Record<string, string> {
  const { since, until, perObject } = query
  const fieldSelector = fieldSelectorOf(query)
  return {
    ...(fieldSelector === '' ? {} : { fieldSelector }),
    ...(since === undefined ? {} : { sinceTime: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { untilTime: new Date(until).toISOString() }),
    ...(perObject === undefined ? {} : { perObject: String(perObject) }),
  }
}

/** In values the selector's own characters are escaped (k8s.io/apimachinery, fields.EscapeValue). */
function fieldSelectorOf({ fields }: ChangesQuery): string {
  return fields
    .map(({ field, operator, value }) => `${field}${operator}${value.replaceAll(/[\\,=]/g, String.raw`\$&`)}`)
    .join(',')
}

function strange(detail: string): DeckError {
  return new DeckError('KUBE_PROTOCOL', `the companion is not understood: ${detail}`, {
    hint: 'Its version may be another one than this command has: kubectl deckwatch status',
  })
}
