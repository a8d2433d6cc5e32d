import { requestJson } from '../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'

/** What a Secret holds, decoded, by its keys. */
export type SecretData = Readonly<Record<string, string | undefined>>

/** Where a Secret is. */
export interface SecretPlace {
  readonly transport: KubeTransport
  readonly namespace: string
  readonly name: string
}

/** A Secret as it was read; `object` is passed back when it is written, with all that others put on it. */
export interface StoredSecret {
  readonly data: SecretData
  readonly object: SecretObject
}

interface SecretObject {
  readonly metadata: { readonly resourceVersion?: string }
  readonly data?: Readonly<Record<string, string>> | null
}

/** Reads a Secret by its name; undefined where there is none. */
export async function readSecret(place: SecretPlace, signal: AbortSignal): Promise<StoredSecret | undefined> {
  try {
    const object = await requestJson<SecretObject>(place.transport, {
      path: pathOf(place),
      purpose: purposeOf(place, 'get'),
      signal,
    })
    return { data: decoded(object), object }
  } catch (error) {
    if (error instanceof DeckError && error.status === 404) return undefined
    throw error
  }
}

/**
 * Writes a Secret where nobody else has meanwhile: creates it where `stored` is undefined, else updates exactly the
 * version that was read. False where another was quicker; then it must be read again.
 */
export async function writeSecret(
  place: SecretPlace,
  stored: StoredSecret | undefined,
  data: SecretData,
  signal: AbortSignal,
): Promise<boolean> {
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value ?? '').toString('base64')]),
  )
  const { transport, namespace, name } = place
  try {
    if (stored) {
      // The type of a Secret cannot be changed; it stays whatever it is, as do others' labels and keys.
      const body = { ...stored.object, data: { ...stored.object.data, ...encoded } }
      await requestJson(transport, {
        method: 'PUT',
        path: pathOf(place),
        body,
        purpose: purposeOf(place, 'update'),
        signal,
      })
    } else {
      await requestJson(transport, {
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/secrets`,
        body: {
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'Opaque',
          metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'deckwatch' } },
          data: encoded,
        },
        purpose: purposeOf(place, 'create'),
        signal,
      })
    }
    return true
  } catch (error) {
    const lost = error instanceof DeckError && (error.status === 409 || (stored && error.status === 404))
    if (lost) return false
    throw error
  }
}

function decoded({ data }: SecretObject): SecretData {
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
}

function pathOf({ namespace, name }: SecretPlace): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`
}

function purposeOf({ namespace, name }: SecretPlace, verb: string) {
  return { verb, resource: 'secrets', name, namespace }
}
