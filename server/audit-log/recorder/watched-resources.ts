import type { RecordedResource } from '../config.ts'
import { resourceKey } from '../resource-key.ts'

const NAMESPACES = 'namespaces.'

/** Which recorded resources a recorder watches, and which of their watches have told all objects once. */
export class WatchedResources {
  /** Namespaces first: their uids belong to every record. */
  readonly all: readonly RecordedResource[]
  readonly #unsynced: Set<string>
  /** Those that the API server does not let us watch. */
  readonly #refused = new Set<string>()
  readonly #reviewedOnly: ReadonlySet<string>

  constructor(resources: readonly RecordedResource[]) {
    const first = (recorded: RecordedResource): number => Number(resourceKey(recorded) === NAMESPACES)
    this.all = resources
      .filter(({ watch }) => watch !== 'none')
      .toSorted((one, other) => first(other) - first(one))
    this.#unsynced = new Set(this.all.map(resourceKey))
    this.#reviewedOnly = new Set(resources.filter(({ watch }) => watch === 'none').map(resourceKey))
  }

  /** Whether all watches that may be watched have told all objects. */
  get synced(): boolean {
    return this.#unsynced.size === 0
  }

  /** Whether the uids of namespaces are known. */
  get knowsNamespaces(): boolean {
    return !this.#unsynced.has(NAMESPACES)
  }

  /** One clause: what is waited for, or what cannot be watched. */
  get reason(): string {
    const [waiting] = this.#unsynced
    if (waiting !== undefined) return `${nameOf(waiting)} are not listed yet`
    const [refused] = this.#refused
    return refused === undefined ? 'recording' : `recording, but ${nameOf(refused)} cannot be watched`
  }

  /** A watch has told all objects. */
  sync(recorded: RecordedResource): void {
    this.#refused.delete(resourceKey(recorded))
    this.#unsynced.delete(resourceKey(recorded))
  }

  /** The API server does not let us watch it. */
  refuse(recorded: RecordedResource): void {
    this.#unsynced.delete(resourceKey(recorded))
    this.#refused.add(resourceKey(recorded))
  }

  /** Whether reviews are the one witness, since nobody asked for another (key of a resource). */
  isReviewedOnly(resource: string): boolean {
    return this.#reviewedOnly.has(resource)
  }

  /** Whether reviews are the one witness: by choice, or because the API server does not let us watch. */
  isUnwatched(resource: string): boolean {
    return this.#reviewedOnly.has(resource) || this.#refused.has(resource)
  }
}

/** `pods`, `deployments.apps`. */
function nameOf(resource: string): string {
  return resource.replace(/\.$/, '')
}
