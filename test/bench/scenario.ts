import type { BulkOptions } from '../kit/kubernetes/bulk.ts'
import type { Finding } from './finding.ts'
import type { BenchCluster, Programs } from './setup.ts'

/** What a scenario measures with. */
export interface ScenarioContext {
  readonly programs: Programs
  readonly cluster: BenchCluster
  /** How full the cluster is. */
  readonly size: BulkOptions
  /** Fewer rounds. */
  readonly quick: boolean
}

/** One part of the bench, by the name under which `npm run bench -- NAME` runs it alone. */
export interface Scenario {
  readonly name: string
  readonly about: string
  /** Which cluster it needs. */
  readonly cluster: 'small' | 'large'
  readonly run: (context: ScenarioContext) => Promise<readonly Finding[]>
}
