import type { CompanionStatus } from '../../../core/wire/companion-status.ts'

/** All that `kubectl deckwatch status` found out; what `-o json` prints. */
export interface CompanionReport {
  readonly apiVersion: string
  readonly kind: 'CompanionReport'
  readonly namespace: string
  readonly versions: {
    readonly cli: string
    readonly kubernetes?: string
    /** One, or two while an upgrade is under way. */
    readonly companion: readonly string[]
  }
  /** The release that it belongs to, where Helm installed it. */
  readonly helm?: HelmRelease
  readonly deployments: readonly DeploymentReport[]
  readonly pods: readonly PodReport[]
  readonly api: ApiReport
  readonly rights: readonly RightReport[]
  /** What is to be mended now, a cause before its effects. */
  readonly problems: readonly Problem[]
  /** What went wrong lately and is over; nothing that a monitor should wake anybody for. */
  readonly warnings: readonly Problem[]
  /** What could not be looked at, and why; one clause each. */
  readonly unseen: readonly string[]
}

/** A release of Helm. */
export interface HelmRelease {
  readonly name: string
  readonly namespace: string
}

/** One Deployment of the companion. */
export interface DeploymentReport {
  readonly name: string
  readonly image: string
  readonly wanted: number
  readonly ready: number
  /** Where its data is; left out where it keeps none. */
  readonly storage?: 'pvc' | 'hostPath' | 'emptyDir'
}

/** One pod of the companion, with what it says of itself where it could be asked. */
export interface PodReport {
  readonly name: string
  readonly node?: string
  readonly ready: boolean
  readonly status?: CompanionStatus
}

/** The API group as callers meet it. */
export interface ApiReport {
  /** Undefined where the APIService could not be read. */
  readonly registered?: boolean
  /** The APIService's own condition, which says little: it does not check what TLS shows. */
  readonly available?: boolean
  readonly reason?: string
  /** Whether real requests are answered; undefined where we may not ask. */
  readonly answers?: boolean
  readonly milliseconds?: number
  /** Why not. */
  readonly cause?: string
  readonly resources: readonly string[]
  /** Namespaces that wait in deletion until the group answers or its APIService is gone. */
  readonly heldNamespaces: readonly string[]
}

/** Something the caller may do or not. */
export interface RightReport {
  readonly verb: string
  readonly resource: string
  /** Left out: in all namespaces. */
  readonly namespace?: string
  readonly allowed: boolean
}

/** One trouble with its mend. */
export interface Problem {
  /** What it is about: a component, an object, `api`, `certificates`. */
  readonly about: string
  readonly text: string
  /** A command, where one helps. */
  readonly mend?: string
}
