import type { FieldChange } from '../../../core/wire/change.ts'

/**
 * What the API server fills in where nobody says anything, by the last key of the field (the SetDefaults functions of
 * Kubernetes' pkg/apis/{core,apps,batch}/v1/defaults.go). With other values they are somebody's choice.
 */
const DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
  backoffLimit: [6],
  completionMode: ['NonIndexed'],
  completions: [1],
  concurrencyPolicy: ['Allow'],
  defaultMode: [420],
  dnsPolicy: ['ClusterFirst'],
  failedJobsHistoryLimit: [1],
  failureThreshold: [3],
  imagePullPolicy: ['IfNotPresent', 'Always'],
  internalTrafficPolicy: ['Cluster'],
  ipFamilyPolicy: ['SingleStack'],
  maxSurge: ['25%'],
  maxUnavailable: ['25%'],
  parallelism: [1],
  partition: [0],
  periodSeconds: [10],
  podManagementPolicy: ['OrderedReady'],
  podReplacementPolicy: ['TerminatingOrFailed'],
  progressDeadlineSeconds: [600],
  protocol: ['TCP'],
  restartPolicy: ['Always'],
  revisionHistoryLimit: [10],
  schedulerName: ['default-scheduler'],
  scheme: ['HTTP'],
  sessionAffinity: ['None'],
  successThreshold: [1],
  successfulJobsHistoryLimit: [3],
  suspend: [false],
  terminationGracePeriodSeconds: [30],
  terminationMessagePath: ['/dev/termination-log'],
  terminationMessagePolicy: ['File'],
  timeoutSeconds: [1],
  type: ['RollingUpdate', 'ClusterIP', 'Opaque'],
}

/** Empty objects of a pod's spec that stand for nothing. */
const EMPTY_BY_DEFAULT = new Set(['resources', 'securityContext'])

/** Whether a field has, or where it was removed had, the value that it would have if nobody had said anything. */
export function isDefaulted({ path, op, from, to }: FieldChange): boolean {
  const key = /([A-Za-z]+)$/.exec(path)?.[1] ?? ''
  const value = op === 'remove' ? from : to
  if (EMPTY_BY_DEFAULT.has(key)) return JSON.stringify(value) === '{}'
  return DEFAULTS[key]?.includes(value) ?? false
}

const RANKS: readonly RegExp[] = [
  /\.image$|^spec\.replicas$/,
  /\.(?:env|resources|command|args|ports)\b|^(?:data|stringData|rules|subjects|roleRef|spec\.rules)\b/,
  /^(?!metadata|spec\.selector|spec\.template\.metadata)/,
  /^spec\.template\.metadata/,
]

/** Fields in another order: those that people ask for first before the others, entries that only moved last. */
export function byInterest(changes: readonly FieldChange[]): FieldChange[] {
  const rankOf = (change: FieldChange): number => {
    if (change.index && change.from === undefined && change.to === undefined) return RANKS.length + 1
    const rank = RANKS.findIndex((fields) => fields.test(change.path))
    return rank < 0 ? RANKS.length : rank
  }
  return changes.toSorted((a, b) => rankOf(a) - rankOf(b))
}
