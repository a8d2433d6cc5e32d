import { records } from './audit-log.ts'
import { FOLDERS } from './config.ts'
import { selectorOf } from './labels.ts'
import { NAMES } from './names.ts'
import { chosenComponents, type PodGroup } from './pods.ts'
import { SERVICE_PORTS } from './services.ts'
import { dataVolume } from './storage.ts'
import type { DeployValues } from './values.ts'

/** The user of the image, by number: the kubelet cannot tell from a name that it is not root. */
const USER = 65532

/** The token of a pod without the api expires after an hour; the kubelet renews it. */
const TOKEN_SECONDS = 3600

const CONFINED = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true } as const

/** The pod of a group: fit for Pod Security "restricted" unless its folder or network is the node's. */
export function podSpec(group: PodGroup, values: DeployValues): unknown {
  const { imagePullSecrets, priorityClassName, hostNetwork, nodeSelector, tolerations } = values
  return {
    serviceAccountName: group.name,
    automountServiceAccountToken: true,
    ...(imagePullSecrets.length === 0
      ? {}
      : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    ...(priorityClassName === '' ? {} : { priorityClassName }),
    ...(hostNetwork ? { hostNetwork, dnsPolicy: 'ClusterFirstWithHostNet' } : {}),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...placement(group, values),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationGracePeriodSeconds: 30,
    ...(group.keepsData && values.storage.type === 'hostPath'
      ? { initContainers: [prepareData(values)] }
      : {}),
    containers: [container(group, values)],
    volumes: volumes(group, values),
  }
}

function container(group: PodGroup, values: DeployValues): unknown {
  const { image, imagePullPolicy, resources, ports } = values
  const named = { api: ports.api, ...(group.servesPeers ? { peer: ports.peer } : {}), metrics: ports.metrics }
  return {
    name: 'deckwatch',
    image,
    imagePullPolicy,
    args: flags(group, values),
    env: [
      fromPod('POD_NAME', 'metadata.name'),
      fromPod('POD_NAMESPACE', 'metadata.namespace'),
      fromPod('POD_UID', 'metadata.uid'),
      ...(group.keepsData ? [...database(values), ...collectorHeaders(values)] : []),
    ],
    ports: Object.entries(named).map(([name, port]) => ({ name, containerPort: port, protocol: 'TCP' })),
    resources,
    // Migrations and the check of a large store come before the first answer.
    startupProbe: { ...probe('/livez'), periodSeconds: 2, failureThreshold: 150 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 3 },
    securityContext: { ...CONFINED, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'config', mountPath: FOLDERS.config, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...(group.keepsData ? [{ name: 'data', mountPath: FOLDERS.data }] : []),
      ...(group.servesPeers ? [{ name: 'token', mountPath: FOLDERS.token, readOnly: true }] : []),
    ],
  }
}

function flags(group: PodGroup, values: DeployValues): readonly string[] {
  const { namespace } = values
  const peers = chosenComponents(values).map(
    ({ name }) => `${name}=${NAMES.data}.${namespace}.svc:${SERVICE_PORTS.peer}`,
  )
  return [
    `--config=${FOLDERS.config}/config.yaml`,
    `--components=${group.components.join(',')}`,
    ...(group.servesPeers
      ? [
          `--token-file=${FOLDERS.token}/token`,
          `--leaf-url=https://${NAMES.companion}.${namespace}.svc:${SERVICE_PORTS.api}/peer/v1/leaf`,
          ...(records(values) ? [`--audit-service=${NAMES.audit}`] : []),
        ]
      : []),
    ...(group.part === 'api' ? [`--peers=${peers.join(',')}`, `--peer-accounts=${NAMES.companion}`] : []),
    ...(group.servesApi ? [`--api-service=${NAMES.apiService}`] : []),
  ]
}

/** Makes a folder of the node the companion's own; fsGroup does nothing there. */
function prepareData({ image, imagePullPolicy, resources }: DeployValues): unknown {
  return {
    name: 'prepare-data',
    image,
    imagePullPolicy,
    args: ['prepare-data', `--data=${FOLDERS.data}`],
    resources,
    securityContext: {
      ...CONFINED,
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
      capabilities: { drop: ['ALL'], add: ['CHOWN'] },
    },
    volumeMounts: [
      { name: 'data', mountPath: FOLDERS.data },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

function volumes(group: PodGroup, values: DeployValues): readonly unknown[] {
  const token = { audience: 'deckwatch-peer', expirationSeconds: TOKEN_SECONDS, path: 'token' }
  return [
    { name: 'config', configMap: { name: NAMES.config } },
    { name: 'tmp', emptyDir: { sizeLimit: '512Mi' } },
    ...(group.keepsData ? [dataVolume(values)] : []),
    ...(group.servesPeers
      ? [{ name: 'token', projected: { sources: [{ serviceAccountToken: token }] } }]
      : []),
  ]
}

function placement(group: PodGroup, { storage: { type, node } }: DeployValues): object {
  if (group.keepsData && type === 'hostPath' && node !== '') {
    // By the node's name: the label kubernetes.io/hostname may be another.
    const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }]
    return {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
        },
      },
    }
  }
  if (group.replicas === 1) return {}
  return {
    topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        // Better two on one node than one.
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selectorOf(group.part) },
      }),
    ),
  }
}

function probe(path: string): object {
  return { httpGet: { path, port: 'api', scheme: 'HTTPS' }, timeoutSeconds: 5 }
}

/** The address of the database, with its password: in no ConfigMap and on no command line. */
function database({ store: { secret, key } }: DeployValues): readonly unknown[] {
  return secret === ''
    ? []
    : [{ name: 'DECKWATCH_STORE', valueFrom: { secretKeyRef: { name: secret, key } } }]
}

/** What the collector knows the companion by: as secret as the database's password. */
function collectorHeaders(values: DeployValues): readonly unknown[] {
  const { url, secret } = values.auditLog.export
  return url === '' || secret.name === '' || !records(values)
    ? []
    : [{ name: 'DECKWATCH_AUDIT_EXPORT_HEADERS', valueFrom: { secretKeyRef: secret } }]
}

function fromPod(name: string, fieldPath: string): unknown {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}
