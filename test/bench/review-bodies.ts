import { randomUUID } from 'node:crypto'

const DEPLOYMENTS = 240

/** Where the reviewed objects lie. */
export const REVIEWED_NAMESPACES: readonly string[] = Array.from(
  { length: 40 },
  (_, index) => `team-${index}`,
)

/**
 * Bodies of reviews of Deployments, as the API server writes them: object and oldObject with managedFields, status and a
 * last-applied configuration, every tenth container with a password; 20 to 30 kB each.
 */
export class ReviewBodies {
  #seed = 0x2545f491
  #made = 0

  /** Another one. */
  next(): Buffer {
    const index = this.#random(DEPLOYMENTS)
    const name = `web-${index}`
    const variables = 12 + this.#random(25)
    this.#made += 1
    const identity = { name, uid: `6b6b6b6b-1111-2222-3333-${String(index).padStart(12, '0')}` }
    // What is written carries the version that it began from.
    const version = String(this.#made)
    const object = deployment({ ...identity, version }, variables, this.#made)
    const oldObject = deployment({ ...identity, version }, variables, this.#made - 1)
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' }
    const resource = { group: 'apps', version: 'v1', resource: 'deployments' }
    return Buffer.from(
      JSON.stringify({
        kind: 'AdmissionReview',
        apiVersion: 'admission.k8s.io/v1',
        request: {
          uid: randomUUID(),
          kind,
          resource,
          requestKind: kind,
          requestResource: resource,
          name,
          namespace: REVIEWED_NAMESPACES[index % REVIEWED_NAMESPACES.length],
          operation: 'UPDATE',
          userInfo: {
            username: 'system:serviceaccount:argocd:argocd-application-controller',
            groups: ['system:serviceaccounts', 'system:serviceaccounts:argocd', 'system:authenticated'],
          },
          object,
          oldObject,
          dryRun: false,
          options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'argocd-controller' },
        },
      }),
    )
  }

  #random(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed % below
  }
}

function deployment(
  { name, uid, version }: { readonly name: string; readonly uid: string; readonly version: string },
  variables: number,
  generation: number,
): object {
  const spec = {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, version: `v${generation}` } },
      spec: {
        containers: [container('app', variables, generation), container('proxy', 4, generation)],
        volumes: [{ name: 'config', configMap: { name, defaultMode: 420 } }],
        serviceAccountName: name,
        securityContext: {},
        terminationGracePeriodSeconds: 30,
      },
    },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
  }
  const time = '2026-11-21T11:04:05Z'
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: {
      name,
      namespace: 'team',
      uid,
      resourceVersion: version,
      generation,
      creationTimestamp: time,
      labels: { app: name },
      annotations: {
        'deployment.kubernetes.io/revision': String(generation),
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }),
      },
      managedFields: [
        {
          manager: 'argocd-controller',
          operation: 'Update',
          apiVersion: 'apps/v1',
          time,
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': owned(spec) },
        },
      ],
    },
    spec,
    status: {
      observedGeneration: generation,
      replicas: 3,
      conditions: ['Available', 'Progressing'].map((type) => ({
        type,
        status: 'True',
        lastUpdateTime: time,
        lastTransitionTime: time,
        reason: 'MinimumReplicasAvailable',
        message: `Deployment ${name} has minimum availability.`,
      })),
    },
  }
}

function container(name: string, variables: number, generation: number): object {
  const probe = { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' }, periodSeconds: 10 }
  return {
    name,
    image: `registry.example.com/team/${name}:1.${generation}`,
    args: ['--listen=:8080', '--log-level=info', '--config=/etc/app/config.yaml'],
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: variables }, (_, i) =>
      i % 10 === 9
        ? { name: `SERVICE_${i}_PASSWORD`, value: `made-up-${i}` }
        : { name: `SETTING_${i}`, value: `http://service-${i}.shop.svc:8080/path/${i}` },
    ),
    resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    livenessProbe: probe,
    readinessProbe: probe,
    volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
    securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  }
}

/** The fields of a value as managedFields names them. */
function owned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return {}
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [`f:${key}`, owned(field)]))
  }
  return Object.fromEntries(
    value.map((entry: unknown, i) => [
      typeof entry === 'object'
        ? `k:${JSON.stringify({ name: (entry as { name?: string }).name ?? i })}`
        : `v:${JSON.stringify(entry)}`,
      owned(entry),
    ]),
  )
}
