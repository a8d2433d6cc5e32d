import { auditWarnings, checkAuditLog } from './check-audit-log.ts'
import { quantity } from './quantity.ts'
import { ValuesError } from './values-error.ts'
import { FIELDS } from './values-fields.ts'
import type { DeployValues } from './values.ts'

/** Ports that Kubernetes' own programs have on a node, which a pod in the host's network would collide with. */
const NODE_PORTS: Readonly<Record<number, string>> = {
  10248: "the kubelet's health check",
  10249: "kube-proxy's metrics",
  10250: 'the kubelet',
  10255: "the kubelet's read-only port",
  10256: "kube-proxy's health check",
  10257: 'the controller manager',
  10259: 'the scheduler',
}

/** Throws a ValuesError where values cannot be or do not go together; gives warnings, one sentence each. */
export function checkValues(values: DeployValues): readonly string[] {
  checkFields(values)
  checkPods(values)
  checkPorts(values)
  checkSizes(values)
  checkAuditLog(values)
  return [...storageWarnings(values), ...networkWarnings(values), ...auditWarnings(values)]
}

/** Throws a ValuesError for the first value that cannot be, whatever the others are. */
export function checkFields(values: DeployValues): void {
  for (const { key, ok, allowed } of FIELDS) {
    const value = valueAt(values, key)
    if (!ok(value)) throw new ValuesError(key, `${key}=${shown(value)}: must be ${allowed}`)
  }
}

/** The value of a dotted key. */
export function valueAt(values: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((inner, name) => {
    return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined
  }, values)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function checkPods({ replicas, components, store, storage }: DeployValues): void {
  if (replicas === 1) return
  const refuse = (why: string): never => {
    throw new ValuesError('replicas', `replicas=${replicas}: ${why}`)
  }
  if (store.secret === '' || components.includes('image-graph')) {
    refuse(
      'must be 1, since each pod has a store of its own and they would tell different histories (audit-log alone can ' +
        'share one: store.secret); for an API that stays while pods move, set apiReplicas=2',
    )
  }
  if (storage.type !== 'emptyDir') {
    refuse(
      'must be 1 with a volume, which one pod has for itself; what waits for the shared store may be in an emptyDir',
    )
  }
}

function checkPorts({ hostNetwork, ports }: DeployValues): void {
  const named = Object.entries(ports)
  for (const [name, port] of named) {
    const key = `ports.${name}`
    const twin = named.find(([other, number]) => number === port && other !== name)
    if (twin) throw new ValuesError(key, `${key}=${port}: ports.${twin[0]} is the same; each must be another`)
    const owner = hostNetwork ? NODE_PORTS[port] : undefined
    if (owner !== undefined) {
      throw new ValuesError(
        key,
        `${key}=${port}: with hostNetwork=true this port of the node belongs to ${owner}; set another, such as ${key}=${port + 10_000}`,
      )
    }
  }
}

function checkSizes({ components, resources, storage, imageGraph }: DeployValues): void {
  const { requests, limits } = resources
  if (bytes(requests.memory) > bytes(limits.memory)) {
    throw new ValuesError(
      'resources.requests.memory',
      `resources.requests.memory=${requests.memory}: must not be above resources.limits.memory=${limits.memory}`,
    )
  }
  const keepsImages = components.includes('image-graph') && storage.type !== 'hostPath'
  if (keepsImages && bytes(imageGraph.historySize) > 0.8 * bytes(storage.size)) {
    throw new ValuesError(
      'imageGraph.historySize',
      `imageGraph.historySize=${imageGraph.historySize}: must be at most 80 % of storage.size=${storage.size}`,
    )
  }
}

function storageWarnings({ storage }: DeployValues): string[] {
  const { type, node, storageClass } = storage
  const warnings: string[] = []
  if (type === 'emptyDir') warnings.push('storage.type=emptyDir: the history ends with each pod')
  if (type === 'hostPath') {
    if (node === '') {
      warnings.push(
        'storage.type=hostPath without storage.node: on another node the pod begins with an empty history',
      )
    }
    warnings.push(
      'storage.type=hostPath: an init container prepares the folder as uid 0 with CHOWN alone, and the namespace does not enforce Pod Security',
    )
  }
  if (type !== 'hostPath' && node !== '')
    warnings.push(`storage.node has no effect with storage.type=${type}`)
  if (type !== 'pvc' && storageClass !== '') {
    warnings.push(`storage.storageClass has no effect with storage.type=${type}`)
  }
  return warnings
}

function networkWarnings({ hostNetwork, networkPolicy, metrics, apiReplicas }: DeployValues): string[] {
  const warnings: string[] = []
  if (hostNetwork) {
    warnings.push('hostNetwork=true: the namespace does not enforce Pod Security')
    if (networkPolicy) warnings.push('hostNetwork=true: a NetworkPolicy does not hold there and is left out')
    if (apiReplicas > 0) {
      warnings.push(`hostNetwork=true: pods of the same ports need a node each, ${apiReplicas + 1} in all`)
    }
    if (!metrics.auth) {
      warnings.push(
        'hostNetwork=true: /metrics is open to whoever reaches the node; metrics.auth=true closes it',
      )
    }
  }
  if (metrics.from.length > 0 && (hostNetwork || !networkPolicy)) {
    warnings.push('metrics.from has no effect without a NetworkPolicy')
  }
  return warnings
}

function bytes(size: string): number {
  return quantity(size) ?? 0
}
