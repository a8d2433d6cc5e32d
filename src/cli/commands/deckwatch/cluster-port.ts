import { pathOf, type Kind } from '../../../../server/deploy/kinds.ts'
import { reviewAccess } from '../../../core/kube/access-review.ts'
import { applyObject, requestJson } from '../../../core/kube/json-request.ts'
import type { RequestIdentity, RequestPurpose } from '../../../core/kube/status-error.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import { apiVersionOf, refOf, type ObjectRef } from '../../features/deckwatch/kinds.ts'
import type { ClusterPort } from '../../features/deckwatch/ports.ts'
import type { StoredObject } from '../../features/deckwatch/stored-object.ts'

/** Who owns what `install` writes; the companion's own writes have another. */
const FIELD_MANAGER = 'deckwatch-install'
const PAGE = 500
const BODY_LIMIT = 64 * 1024
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

interface ObjectPage {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly Pick<StoredObject, 'metadata'>[]
}

/** The installation features' view of a real cluster. */
export function createClusterPort(
  transport: KubeTransport,
  { identity, clock }: { readonly identity: RequestIdentity; readonly clock: Clock },
): ClusterPort {
  const purpose = (verb: string, { kind, namespace, name }: Partial<ObjectRef> & Pick<ObjectRef, 'kind'>) =>
    ({
      verb,
      resource: spokenResource(kind),
      name,
      namespace: kind.namespaced ? namespace : undefined,
      namespaced: kind.namespaced,
      identity,
    }) satisfies RequestPurpose

  return {
    async get(ref, signal) {
      try {
        return await requestJson<StoredObject>(transport, {
          path: placeOf(ref),
          purpose: purpose('get', ref),
          signal,
        })
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    },

    async list({ kind, namespace, labelSelector, fieldSelector, metadataOnly = false }, signal) {
      const objects: StoredObject[] = []
      let next: string | undefined
      do {
        const query = new URLSearchParams({ limit: String(PAGE) })
        if (labelSelector) query.set('labelSelector', labelSelector)
        if (fieldSelector) query.set('fieldSelector', fieldSelector)
        if (next) query.set('continue', next)
        const path = `${placeOf({ kind, namespace })}?${query.toString()}`
        const page: ObjectPage = await requestJson<ObjectPage>(transport, {
          path,
          accept: metadataOnly ? METADATA_ONLY : undefined,
          purpose: purpose('list', { kind, namespace }),
          signal,
        })
        // Items of a list do not say what they are.
        const typed = { apiVersion: apiVersionOf(kind), kind: kind.kind }
        for (const item of page.items ?? []) objects.push({ ...item, ...typed })
        next = page.metadata?.continue
      } while (next)
      return objects
    },

    apply(object, { dryRun }, signal) {
      const ref = refOf(object)
      const request = { path: placeOf(ref), body: object, purpose: purpose('apply', ref), signal }
      return applyObject<StoredObject>(transport, request, {
        fieldManager: FIELD_MANAGER,
        force: true,
        dryRun,
      })
    },

    async delete(ref, signal) {
      try {
        await requestJson(transport, {
          method: 'DELETE',
          path: placeOf(ref),
          body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
          purpose: purpose('delete', ref),
          signal,
        })
        return true
      } catch (error) {
        if (isAbsent(error)) return false
        throw error
      }
    },

    async probe(path, limitMs, signal) {
      const limit = AbortSignal.timeout(limitMs)
      const started = clock.now()
      try {
        const response = await transport.send({ path, signal: AbortSignal.any([signal, limit]) })
        const body = await readSome(response.body)
        return { status: response.status, body, milliseconds: clock.now() - started }
      } catch (error) {
        signal.throwIfAborted()
        if (!limit.aborted) throw error
        throw new DeckError('KUBE_TIMEOUT', `no answer from ${path} within ${limitMs / 1000} s`, {
          cause: error,
        })
      }
    },

    async may(resourceAttributes, signal) {
      return (await reviewAccess(transport, { resourceAttributes, identity }, signal)).allowed
    },
  }
}

function placeOf({ kind, namespace, name }: Partial<ObjectRef> & Pick<ObjectRef, 'kind'>): string {
  const encoded = (part: string | undefined) => (part === undefined ? undefined : encodeURIComponent(part))
  return pathOf(kind, kind.namespaced ? encoded(namespace) : undefined, encoded(name))
}

function spokenResource({ group, plural }: Kind): string {
  return group === '' ? plural : `${plural}.${group}`
}

function isAbsent(error: unknown): boolean {
  return error instanceof DeckError && error.status === 404
}

async function readSome(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= BODY_LIMIT) break
  }
  return Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString('utf8')
}
