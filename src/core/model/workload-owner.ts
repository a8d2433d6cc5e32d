import type { PodOwner, PodSlice } from '../wire/pod.ts'

/** What people deployed and a pod belongs to; a pod that nothing controls is its own workload, of kind `Pod`. */
export interface Workload {
  /** API group; empty for core kinds. */
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Owners of owners that were looked up, by the uid of the object that stands between (a ReplicaSet, a Job). */
export type KnownOwners = ReadonlyMap<string, PodOwner>

// The CronJob controller names a Job after its CronJob and the scheduled time in minutes since the epoch
// (kubernetes pkg/controller/cronjob getJobName): 8 digits from 1989 to 2160.
const SCHEDULED_JOB = /^(.+)-(\d{8})$/

// Such names came with Kubernetes 1.20, in December 2020; less is a date that somebody wrote: import-20261121.
const FIRST_SCHEDULED_MINUTE = 26_780_000

/**
 * Names a pod's workload from the pod alone: a ReplicaSet is its Deployment's name plus the label pod-template-hash,
 * a Job of a CronJob ends in its scheduled minute. `known` replaces both guesses by what was looked up.
 */
export function workloadOf(pod: PodSlice, known?: KnownOwners): Workload {
  const owner = pod.owner
  // A static pod's mirror is controlled by its Node, which nobody deployed.
  if (!owner || owner.kind === 'Node')
    return { group: '', kind: 'Pod', namespace: pod.namespace, name: pod.name }
  if (known) return asWorkload(pod.namespace, known.get(owner.uid) ?? owner)
  if (owner.kind === 'ReplicaSet' && pod.templateHash && owner.name.endsWith(`-${pod.templateHash}`)) {
    const name = owner.name.slice(0, -pod.templateHash.length - 1)
    return { group: 'apps', kind: 'Deployment', namespace: pod.namespace, name }
  }
  const [, cronJob, minute] = (owner.kind === 'Job' && SCHEDULED_JOB.exec(owner.name)) || []
  if (cronJob && Number(minute) >= FIRST_SCHEDULED_MINUTE) {
    return { group: 'batch', kind: 'CronJob', namespace: pod.namespace, name: cronJob }
  }
  return asWorkload(pod.namespace, owner)
}

function asWorkload(namespace: string, owner: PodOwner): Workload {
  const slash = owner.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash)
  return { group, kind: owner.kind, namespace, name: owner.name }
}

const SHORT_KINDS: Readonly<Record<string, string>> = {
  'apps/Deployment': 'deploy',
  'apps/StatefulSet': 'sts',
  'apps/DaemonSet': 'ds',
  'apps/ReplicaSet': 'rs',
  'batch/CronJob': 'cj',
  'batch/Job': 'job',
  '/Pod': 'pod',
  '/ReplicationController': 'rc',
}

/** TYPE/NAME as kubectl takes it, with kubectl's short names for built-in kinds and `kind.group` for custom ones. */
export function workloadRef(workload: Workload): string {
  const short = SHORT_KINDS[`${workload.group}/${workload.kind}`]
  const type = short ?? (workload.group ? `${workload.kind}.${workload.group}` : workload.kind).toLowerCase()
  return `${type}/${workload.name}`
}
