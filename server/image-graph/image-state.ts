import { ImageGraph, type ImageTransition } from '../../src/core/model/image-graph.ts'
import { imageObjects } from '../../src/core/model/image-objects.ts'
import { parseImageReference } from '../../src/core/model/image-reference.ts'
import { Placements, summarise, type Placement } from '../../src/core/model/image-usage.ts'
import type { NodeImages } from '../../src/core/model/node-images.ts'
import type { Image, ServedImageList } from '../../src/core/wire/image.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'

/** One life of a namespace, for a later one may have its name; undefined means the whole cluster. */
export type Scope = { readonly namespace: string; readonly namespaceUid: string } | undefined

/** A scope as a key: empty for the whole cluster. */
export function scopeKey(scope: Scope): string {
  return scope ? `${scope.namespace}/${scope.namespaceUid}` : ''
}

/** What one edge of a pod did, to its image in its namespace and in the cluster. */
export interface StateTransition {
  readonly scope: NonNullable<Scope>
  readonly local: ImageTransition
  readonly cluster: ImageTransition['op']
}

/** All spellings of one image in one scope, whose objects are made together. */
export interface ImageKey {
  readonly scope: Scope
  /** `ImageReference.key`. */
  readonly key: string
}

interface PodState {
  readonly pod: PodSlice
  readonly scope: NonNullable<Scope>
  readonly placements: readonly Placement[]
}

/** Placements of one image in one scope by the uid of their pod. */
type Users = Map<string, readonly Placement[]>

interface ScopeState {
  readonly scope: Scope
  readonly graph: ImageGraph
  readonly images: Map<string, Users>
}

/** After so many pods what is known of their names is forgotten: names of ReplicaSets never end. */
const PLACEMENTS_LIFETIME = 20_000

/** Which pods use which images, in each namespace and in the cluster; pure, and ahead of what is committed. */
export class ImageState {
  readonly #pods = new Map<string, PodState>()
  readonly #cluster: ScopeState = { scope: undefined, graph: new ImageGraph(), images: new Map() }
  readonly #scopes = new Map<string, ScopeState>([['', this.#cluster]])
  /** The scope of the pods that are known in a namespace: all of one life of it. */
  readonly #living = new Map<string, { readonly uid: string; pods: number }>()
  #dirty = new Map<string, ImageKey>()
  #placements = new Placements({})
  #placed = 0

  get podCount(): number {
    return this.#pods.size
  }

  /** Whether the image is in use anywhere. */
  inUse(image: string): boolean {
    return this.#cluster.graph.uses(image)
  }

  pod(uid: string): { readonly pod: PodSlice; readonly scope: NonNullable<Scope> } | undefined {
    return this.#pods.get(uid)
  }

  pods(): Iterable<{ readonly pod: PodSlice }> {
    return this.#pods.values()
  }

  /** The uid of the namespace that the known pods of this name are in; undefined where there are none. */
  namespaceUid(namespace: string): string | undefined {
    return this.#living.get(namespace)?.uid
  }

  /** Takes a pod in its newest state; its scope is that in which it was first seen. */
  put(pod: PodSlice, namespaceUid: string): StateTransition[] {
    const before = this.#pods.get(pod.uid)
    const scope = before?.scope ?? { namespace: pod.namespace, namespaceUid }
    if (before && samePlacements(before.pod, pod)) return []
    const placements = this.#placementsOf(pod)
    this.#pods.set(pod.uid, { pod, scope, placements })
    if (!before) this.#count(scope, 1)
    const local = this.#scope(scope)
    const transitions = zip(scope, local.graph.put(pod), this.#cluster.graph.put(pod))
    for (const each of [local, this.#cluster]) {
      this.#unlink(each, pod.uid, before?.placements ?? [])
      this.#link(each, pod.uid, placements)
    }
    return transitions
  }

  /** Takes a pod out; one that is not in changes nothing. */
  remove(uid: string): StateTransition[] {
    const before = this.#pods.get(uid)
    if (!before) return []
    const { scope, pod, placements } = before
    this.#pods.delete(uid)
    this.#count(scope, -1)
    const local = this.#scope(scope)
    const transitions = zip(scope, local.graph.remove(pod), this.#cluster.graph.remove(pod))
    for (const each of [local, this.#cluster]) this.#unlink(each, uid, placements)
    if (local.images.size === 0) this.#scopes.delete(scopeKey(scope))
    return transitions
  }

  /** The images whose objects may say something else now than when this was last asked. */
  takeDirty(): ImageKey[] {
    const dirty = [...this.#dirty.values()]
    this.#dirty = new Map()
    return dirty
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0
  }

  /** Sizes may have changed anywhere. */
  markAllDirty(): void {
    for (const { scope, images } of this.#scopes.values()) {
      for (const key of images.keys()) this.#mark(scope, key)
    }
  }

  /** How many pods the objects of one image in one scope are made from. */
  users({ scope, key }: ImageKey): number {
    return this.#scopes.get(scopeKey(scope))?.images.get(key)?.size ?? 0
  }

  /** The objects of one image in one scope, without what only a companion adds. */
  objects({ scope, key }: ImageKey, nodes: NodeImages | undefined): Image[] {
    const users = this.#scopes.get(scopeKey(scope))?.images.get(key)
    return users ? imageObjects([...users.values()].flat(), nodes, scope?.namespace) : []
  }

  /** The counts over all images of the scopes, each pod and workload once. */
  summary(wanted: (scope: NonNullable<Scope>) => boolean): ServedImageList['summary'] {
    const placements: Placement[] = []
    for (const pod of this.#pods.values()) if (wanted(pod.scope)) placements.push(...pod.placements)
    const { images, namespaces, workloads, pods, nodes } = summarise(placements)
    return { images, namespaces, workloads, pods, nodes }
  }

  #scope(scope: NonNullable<Scope>): ScopeState {
    const key = scopeKey(scope)
    let state = this.#scopes.get(key)
    if (!state) this.#scopes.set(key, (state = { scope, graph: new ImageGraph(), images: new Map() }))
    return state
  }

  #count({ namespace, namespaceUid }: NonNullable<Scope>, by: 1 | -1): void {
    const living = this.#living.get(namespace)
    if (living?.uid === namespaceUid) {
      living.pods += by
      if (living.pods === 0) this.#living.delete(namespace)
    } else if (by > 0) this.#living.set(namespace, { uid: namespaceUid, pods: 1 })
  }

  #placementsOf(pod: PodSlice): readonly Placement[] {
    this.#placed += 1
    if (this.#placed % PLACEMENTS_LIFETIME === 0) this.#placements = new Placements({})
    this.#placements.add(pod)
    return this.#placements.all.splice(0)
  }

  #link({ scope, images }: ScopeState, uid: string, placements: readonly Placement[]): void {
    for (const [key, own] of byImage(placements)) {
      let users = images.get(key)
      if (!users) images.set(key, (users = new Map()))
      users.set(uid, own)
      this.#mark(scope, key)
    }
  }

  #unlink({ scope, images }: ScopeState, uid: string, placements: readonly Placement[]): void {
    for (const key of byImage(placements).keys()) {
      const users = images.get(key)
      users?.delete(uid)
      if (users?.size === 0) images.delete(key)
      this.#mark(scope, key)
    }
  }

  #mark(scope: Scope, key: string): void {
    this.#dirty.set(`${scopeKey(scope)}\0${key}`, { scope, key })
  }
}

/** The key of all spellings of an image. */
export function imageKey(reference: string): string {
  return parseImageReference(reference).key
}

/** Both graphs see the same pods, so that their transitions are of the same edges in the same order. */
function zip(
  scope: NonNullable<Scope>,
  local: readonly ImageTransition[],
  cluster: readonly ImageTransition[],
): StateTransition[] {
  return local.map((transition, i) => ({ scope, local: transition, cluster: cluster[i]?.op ?? '+=' }))
}

function byImage(placements: readonly Placement[]): Map<string, Placement[]> {
  const found = new Map<string, Placement[]>()
  for (const placement of placements) {
    const own = found.get(placement.image.key)
    if (own) own.push(placement)
    else found.set(placement.image.key, [placement])
  }
  return found
}

/** Whether objects say the same of both states of a pod. */
function samePlacements(one: PodSlice, other: PodSlice): boolean {
  return (
    one.nodeName === other.nodeName &&
    one.templateHash === other.templateHash &&
    one.owner?.uid === other.owner?.uid &&
    one.images.length === other.images.length &&
    one.images.every((use, i) => {
      const now = other.images[i]
      return (
        now?.image === use.image &&
        now.imageID === use.imageID &&
        now.name === use.name &&
        now.type === use.type
      )
    })
  )
}
