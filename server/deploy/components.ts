import { rights as imageGraph } from '../image-graph/rights.ts'
import type { Rights } from './rights.ts'

/** A component as installations know it: what it may do, what it serves, and what it would mean to lose it. */
export interface Component {
  /** As users write it in `--components`. */
  readonly name: string
  readonly rights: Rights
  /** Plural names in the API group that readers get rights on. */
  readonly serves: readonly string[]
  /** What somebody could do who had taken over its pod; one sentence without a full stop. */
  readonly takenOver: string
}

/** All components that can be chosen; the api comes with each. */
export const COMPONENTS: readonly Component[] = [
  {
    name: 'image-graph',
    rights: imageGraph,
    serves: ['images', 'clusterimages', 'imageevents', 'clusterimageevents'],
    takenOver:
      'read the specs and states of all pods, with the values that stand in their env, and of all nodes; ' +
      'show wrong images; write nothing outside its namespace',
  },
]
