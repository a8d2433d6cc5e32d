import type { PodImage, PodSlice } from '../wire/pod.ts'
import { isFinished } from './image-usage.ts'

/**
 * What one edge did to its image: `+` came into use, `-` went out of use, `+=` and `-=` one user more or fewer of an
 * image that was and stays in use.
 */
export interface ImageTransition {
  readonly op: '+' | '-' | '+=' | '-='
  readonly image: string
  readonly pod: PodSlice
}

/**
 * Which images are in use, counted by edges (pod uid, container type, container name) → image as the pod spec writes
 * it. `+` comes only on 0→1 and `-` only on 1→0, so the sum of all transitions is always what is in use.
 */
export class ImageGraph {
  readonly #runningOnly: boolean
  readonly #users = new Map<string, number>()
  readonly #pods = new Map<string, PodSlice>()

  /** `runningOnly`: a finished pod no longer counts as a user of its images. */
  constructor(options: { readonly runningOnly?: boolean } = {}) {
    this.#runningOnly = options.runningOnly ?? false
  }

  /** Images in use. */
  get images(): ReadonlySet<string> {
    return new Set(this.#users.keys())
  }

  /** Pods that count as users. */
  get podCount(): number {
    return this.#pods.size
  }

  /** Whether a pod counts as a user of anything. */
  has(uid: string): boolean {
    return this.#pods.has(uid)
  }

  /** Whether any pod uses the image. */
  uses(image: string): boolean {
    return this.#users.has(image)
  }

  /** Takes a pod in its newest state, new or changed; giving the same state twice changes nothing. */
  put(pod: PodSlice): ImageTransition[] {
    // A pod of which nothing counts is no user, so that `podCount` tells users only.
    if (pod.images.length === 0 || (this.#runningOnly && isFinished(pod))) return this.remove(pod)
    const before = this.#pods.get(pod.uid)?.images ?? []
    this.#pods.set(pod.uid, pod)
    // Additions first: an image that moves between two containers of one pod never seems to go.
    return [
      ...this.#link(pod, edgesWithout(pod.images, before)),
      ...this.#unlink(pod, edgesWithout(before, pod.images)),
    ]
  }

  /** Takes a pod out; one that is not in changes nothing. */
  remove(pod: PodSlice): ImageTransition[] {
    const before = this.#pods.get(pod.uid)
    if (!before) return []
    this.#pods.delete(pod.uid)
    return this.#unlink(before, before.images)
  }

  #link(pod: PodSlice, edges: readonly PodImage[]): ImageTransition[] {
    return edges.map(({ image }) => {
      const users = this.#users.get(image) ?? 0
      this.#users.set(image, users + 1)
      return { op: users === 0 ? '+' : '+=', image, pod }
    })
  }

  #unlink(pod: PodSlice, edges: readonly PodImage[]): ImageTransition[] {
    return edges.map(({ image }) => {
      const users = this.#users.get(image) ?? 0
      if (users > 1) this.#users.set(image, users - 1)
      else this.#users.delete(image)
      return { op: users > 1 ? '-=' : '-', image, pod }
    })
  }
}

function edgesWithout(edges: readonly PodImage[], others: readonly PodImage[]): readonly PodImage[] {
  if (others.length === 0) return edges
  return edges.filter(
    (edge) =>
      !others.some(
        (other) => other.image === edge.image && other.name === edge.name && other.type === edge.type,
      ),
  )
}
