import { rights as auditLog } from '../audit-log/rights.ts'
import { rights as imageGraph } from '../image-graph/rights.ts'
import { chosenResourceRights } from './audit-log.ts'
import type { ChosenRights, Rights } from './rights.ts'
import type { DeployValues } from './values.ts'

/** A component as installations know it: what it may do, what it serves, and what it would mean to lose it. */
export interface Component {
  /** As users write it in `--components`. */
  readonly name: string
  readonly rights: Rights
  /** Plural names in the API group that readers get rights on. */
  readonly serves: readonly string[]
  /** What somebody could do who had taken over its pod; one sentence without a full stop. */
  readonly takenOver: string
  /** What certain values ask for beside that. */
  readonly chosen?: (values: DeployValues) => ChosenRights
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
  {
    name: 'audit-log',
    rights: auditLog,
    serves: ['changes', 'clusterchanges'],
    takenOver:
      'read all ConfigMaps, roles and the other kinds that are recorded; by its webhook see, and refuse, every write in ' +
      'the whole cluster, with the values of Secrets that are written meanwhile; show wrong changes; change no object ' +
      'outside its namespace but the configuration of that webhook',
    chosen: chosenResourceRights,
  },
]
