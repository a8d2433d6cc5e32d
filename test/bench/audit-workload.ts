import type { ChangeRecord, KnownObject } from '../../server/audit-log/store/audit-store.ts'
import type { ActorType, ChangedObject, ChangeUser, FieldChange } from '../../src/core/wire/change.ts'

/** Changes of a made-up cluster, with what is known of their objects after them. */
export interface WorkloadStep {
  readonly record: ChangeRecord
  /** The object's body where it is kept; left out for pods. */
  readonly known: KnownObject | undefined
}

const NAMESPACES = 40
const DEPLOYMENTS = 240
const CONFIG_MAPS = 400
const APPLICATIONS = 160
const CERTIFICATES = 120
const PODS = 1600
const PEOPLE = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'oscar',
]

/** When the workload begins, in epoch milliseconds. */
const WORKLOAD_BEGINS = Date.UTC(2026, 9, 22)
/** Mean milliseconds between changes: a million of them fill some 29 days. */
const EVERY_MS = 2500

interface Living {
  readonly object: Omit<ChangedObject, 'subresource' | 'resourceVersion'>
  version: number
  generation: number
  body: Record<string, unknown>
}

interface Writer {
  readonly user: ChangeUser
  readonly actor: ActorType
  readonly manager: string
  readonly tool: string
  readonly manual?: boolean
  readonly source?: string
  readonly revision?: string
}

/**
 * An endless mix of writes as a busy cluster has it, always the same: 22 % status of Deployments, 22 % of pods, 22 %
 * reconciled Applications, 16 % pods made and deleted, 6 % certificates, 5 % autoscaler, 3 % reloader, 4 % people.
 */
export class AuditWorkload {
  #seed = 0x2545f491
  #version = 1000
  #seq = 0
  #time = WORKLOAD_BEGINS
  #pods = 0
  readonly #deployments: Living[]
  readonly #configMaps: Living[]
  readonly #applications: Living[]
  readonly #certificates: Living[]
  readonly #living: Living[]

  constructor() {
    this.#deployments = this.#make(DEPLOYMENTS, 'apps', 'v1', 'deployments', 'Deployment', (name) =>
      this.#podOwner(name),
    )
    this.#configMaps = this.#make(CONFIG_MAPS, '', 'v1', 'configmaps', 'ConfigMap', (name) => ({
      data: { 'app.conf': this.#configFile(name) },
    }))
    this.#applications = this.#make(
      APPLICATIONS,
      'argoproj.io',
      'v1alpha1',
      'applications',
      'Application',
      (name) => ({
        spec: {
          project: 'default',
          source: {
            repoURL: `https://git.example.com/shop/${name}.git`,
            path: 'deploy',
            targetRevision: 'main',
          },
          destination: { server: 'https://kubernetes.default.svc', namespace: name },
          syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
        },
        status: { sync: { status: 'Synced', revision: this.#hex(40) }, reconciledAt: this.#now() },
      }),
    )
    this.#certificates = this.#make(
      CERTIFICATES,
      'cert-manager.io',
      'v1',
      'certificates',
      'Certificate',
      (name) => ({
        spec: {
          secretName: `${name}-tls`,
          dnsNames: [`${name}.example.com`],
          issuerRef: { name: 'letsencrypt' },
        },
        status: { revision: 1, notAfter: this.#now() },
      }),
    )
    this.#living = this.#make(PODS, '', 'v1', 'pods', 'Pod', (name) => this.#pod(name))
  }

  /** The next writes. */
  steps(count: number): WorkloadStep[] {
    return Array.from({ length: count }, () => this.#next())
  }

  #next(): WorkloadStep {
    this.#seq += 1
    this.#time += 1 + this.#random(2 * EVERY_MS)
    const dice = this.#random(100)
    if (dice < 22) return this.#deploymentStatus()
    if (dice < 44) return this.#podStatus()
    if (dice < 66) return this.#reconcile()
    if (dice < 74) return this.#createPod()
    if (dice < 82) return this.#deletePod()
    if (dice < 88) return this.#renew()
    if (dice < 93)
      return this.#scale(serviceAccount('kube-system:horizontal-pod-autoscaler', 'kube-controller-manager'))
    if (dice < 96) return this.#reload()
    return this.#byHand()
  }

  #deploymentStatus(): WorkloadStep {
    const ready = this.#random(20)
    return this.#update(this.#one(this.#deployments), controller('deployment-controller'), [
      replace('status.availableReplicas', ready, ready + 1),
      replace('status.readyReplicas', ready, ready + 1),
      replace('status.unavailableReplicas', 20 - ready, 19 - ready),
      replace('status.conditions[type=Progressing].lastUpdateTime', this.#now(), this.#now(1)),
      replace('status.observedGeneration', ready, ready + 1),
    ])
  }

  #podStatus(): WorkloadStep {
    const node = `node-${this.#random(60)}`
    const user = {
      username: `system:node:${node}`,
      groups: ['system:nodes', 'system:authenticated'],
      extra: {},
    }
    const by: Writer = { user, actor: 'node', manager: 'kubelet', tool: 'kubelet' }
    return this.#update(this.#one(this.#living), by, [
      replace('status.phase', 'Pending', 'Running'),
      replace('status.conditions[type=Ready].status', 'False', 'True'),
      replace('status.conditions[type=Ready].lastTransitionTime', this.#now(), this.#now(1)),
      replace('status.conditions[type=ContainersReady].status', 'False', 'True'),
      replace('status.conditions[type=ContainersReady].lastTransitionTime', this.#now(), this.#now(1)),
      {
        path: 'status.podIP',
        op: 'add',
        to: `10.${this.#random(250)}.${this.#random(250)}.${this.#random(250)}`,
      },
      {
        path: 'status.containerStatuses[name=app].containerID',
        op: 'add',
        to: `containerd://${this.#hex(64)}`,
      },
      replace('status.containerStatuses[name=app].started', false, true),
    ])
  }

  #reconcile(): WorkloadStep {
    const app = this.#one(this.#applications)
    const by: Writer = {
      ...serviceAccount('argocd:argocd-application-controller', 'argocd-controller'),
      tool: 'argo-cd',
      source: `Application argocd/${app.object.name}`,
      revision: this.#hex(40),
    }
    const changes: FieldChange[] = [replace('status.reconciledAt', this.#now(), this.#now(1))]
    if (this.#random(4) === 0) {
      changes.push(
        replace('status.sync.revision', this.#hex(40), this.#hex(40)),
        replace('status.operationState.finishedAt', this.#now(), this.#now(1)),
      )
    }
    return this.#update(app, by, changes)
  }

  #createPod(): WorkloadStep {
    const owner = this.#one(this.#deployments)
    const name = `${owner.object.name}-${this.#hex(9)}-${this.#hex(5)}`
    const [pod] = this.#make(1, '', 'v1', 'pods', 'Pod', () => this.#pod(name), owner.object.namespace, name)
    if (!pod) throw new Error('no pod was made')
    this.#living[this.#pods++ % PODS] = pod
    const by = serviceAccount('kube-system:replicaset-controller', 'kube-controller-manager')
    return this.#step(pod, by, 'CREATE', [{ path: '', op: 'add', to: pod.body }], owner)
  }

  #deletePod(): WorkloadStep {
    const pod = this.#one(this.#living)
    const by = serviceAccount('kube-system:generic-garbage-collector', 'kube-controller-manager')
    return this.#step(
      pod,
      by,
      'DELETE',
      [{ path: '', op: 'remove', from: pod.body }],
      this.#one(this.#deployments),
    )
  }

  #renew(): WorkloadStep {
    return this.#update(
      this.#one(this.#certificates),
      serviceAccount('cert-manager:cert-manager', 'cert-manager'),
      [
        replace('status.notAfter', this.#now(), this.#now(90)),
        replace('status.renewalTime', this.#now(), this.#now(60)),
        replace('status.revision', this.#random(9), this.#random(9)),
      ],
    )
  }

  #scale(by: Writer): WorkloadStep {
    const replicas = this.#random(20)
    const step = this.#update(this.#one(this.#deployments), by, [
      replace('spec.replicas', replicas, replicas + 1),
    ])
    const { record } = step
    return { ...step, record: { ...record, object: { ...record.object, subresource: 'scale' } } }
  }

  #reload(): WorkloadStep {
    return this.#update(this.#one(this.#deployments), serviceAccount('tools:reloader', 'reloader'), [
      replace('spec.template.metadata.annotations["reloader/checksum"]', this.#hex(40), this.#hex(40)),
    ])
  }

  #byHand(): WorkloadStep {
    const username = PEOPLE[this.#random(PEOPLE.length)] ?? ''
    const user = { username, groups: ['dev', 'system:authenticated'], extra: {} }
    const by: Writer = { user, actor: 'person', manager: 'kubectl-edit', tool: 'kubectl', manual: true }
    const pod = 'spec.template.spec.containers[name=app]'
    switch (this.#random(7)) {
      case 0: {
        const line = 1 + this.#random(60)
        const key = `setting.${line}`
        const lines = [{ line, from: [`${key} = ${this.#hex(12)}`], to: [`${key} = ${this.#hex(12)}`] }]
        return this.#update(this.#one(this.#configMaps), by, [
          { path: 'data["app.conf"]', op: 'replace', lines },
        ])
      }
      case 1:
        return this.#update(this.#one(this.#deployments), by, [
          replace(
            `${pod}.image`,
            `registry.example.com/shop/web:1.${this.#random(99)}`,
            `registry.example.com/shop/web:1.${this.#random(99)}`,
          ),
        ])
      case 2:
        return this.#scale(by)
      case 3:
        return this.#update(this.#one(this.#deployments), by, [
          { path: 'metadata.labels["app.kubernetes.io/part-of"]', op: 'add', to: `part-${this.#random(9)}` },
        ])
      case 4:
        return this.#update(this.#one(this.#deployments), by, [
          replace(
            'spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]',
            this.#now(),
            this.#now(1),
          ),
        ])
      case 5:
        return this.#update(this.#one(this.#deployments), by, [
          {
            path: `${pod}.env[name=FEATURE_${this.#random(30)}]`,
            op: 'add',
            to: { name: 'FEATURE', value: this.#hex(8) },
          },
        ])
      default:
        return this.#update(this.#one(this.#deployments), by, [
          {
            path: `${pod}.env[name=FEATURE_${this.#random(30)}]`,
            op: 'remove',
            from: { name: 'FEATURE', value: 'on' },
          },
        ])
    }
  }

  #update(living: Living, by: Writer, changes: readonly FieldChange[]): WorkloadStep {
    living.generation += 1
    living.body = { ...living.body, marker: this.#hex(12) }
    return this.#step(living, by, 'UPDATE', changes)
  }

  #step(
    living: Living,
    { user, actor, manager, tool, manual = false, source = '', revision = '' }: Writer,
    operation: ChangeRecord['operation'],
    changes: readonly FieldChange[],
    cause?: Living,
  ): WorkloadStep {
    const before = operation === 'CREATE' ? '' : String(living.version)
    living.version = this.#version += 1 + this.#random(9)
    const after = operation === 'DELETE' ? '' : String(living.version)
    const record: ChangeRecord = {
      id: { writer: 1_234_567_890, seq: this.#seq },
      time: this.#time,
      operation,
      state: 'confirmed',
      reason: '',
      object: { ...living.object, subresource: '', resourceVersion: { before, after } },
      user,
      actor,
      via: { manager, tool, source, revision, initiatedBy: '', manual },
      changes,
      ...(cause
        ? {
            cause: {
              type: 'owner',
              change: `1234567890-${this.#seq - 1}`,
              object: `Deployment ${cause.object.name}`,
              username: 'alice',
            },
          }
        : {}),
    }
    const isPod = living.object.kind === 'Pod'
    const known = {
      object: living.object,
      resourceVersion: String(living.version),
      hash: this.#hex(32),
      body: isPod ? undefined : living.body,
      ...(operation === 'DELETE' ? { gone: true } : {}),
    }
    return { record, known }
  }

  #make(
    count: number,
    group: string,
    version: string,
    resource: string,
    kind: string,
    body: (name: string) => Record<string, unknown>,
    namespace?: string,
    named?: string,
  ): Living[] {
    return Array.from({ length: count }, (_, i) => {
      const name = named ?? `${kind.toLowerCase()}-${i}`
      const place = namespace ?? `team-${i % NAMESPACES}`
      const uid = this.#uid()
      const object = {
        group,
        version,
        resource,
        kind,
        namespace: place,
        namespaceUid: `uid-of-${place}`,
        name,
        uid,
      }
      const metadata = { name, namespace: place, uid, creationTimestamp: this.#now(), labels: { app: name } }
      return {
        object,
        version: ++this.#version,
        generation: 1,
        body: { apiVersion: version, kind, metadata, ...body(name) },
      }
    })
  }

  #podOwner(name: string): Record<string, unknown> {
    return {
      spec: {
        replicas: 5,
        selector: { matchLabels: { app: name } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: { metadata: { labels: { app: name } }, spec: this.#podSpec(name) },
      },
      status: { observedGeneration: 1, replicas: 5, readyReplicas: 5, availableReplicas: 5 },
    }
  }

  #pod(name: string): Record<string, unknown> {
    return {
      spec: { ...this.#podSpec(name), nodeName: `node-${this.#random(60)}` },
      status: { phase: 'Pending' },
    }
  }

  #podSpec(name: string): Record<string, unknown> {
    const container = (part: string): Record<string, unknown> => ({
      name: part,
      image: `registry.example.com/shop/${part}:1.${this.#random(99)}`,
      imagePullPolicy: 'IfNotPresent',
      env: Array.from({ length: 12 }, (_, i) => ({
        name: `${part.toUpperCase()}_SETTING_${i}`,
        value: this.#hex(10),
      })),
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      livenessProbe: {
        httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
        periodSeconds: 10,
        timeoutSeconds: 1,
      },
      readinessProbe: {
        httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
        periodSeconds: 10,
        timeoutSeconds: 1,
      },
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true },
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app' },
        {
          name: `token-${this.#hex(5)}`,
          mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
          readOnly: true,
        },
      ],
    })
    return {
      containers: [container('app'), container('proxy')],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      serviceAccountName: name,
      terminationGracePeriodSeconds: 30,
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
        {
          key: 'node.kubernetes.io/unreachable',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
      ],
      volumes: [{ name: 'config', configMap: { name, defaultMode: 420 } }],
    }
  }

  #configFile(name: string): string {
    const lines = Array.from({ length: 80 }, (_, i) => `${name}.setting.${i} = ${this.#hex(12)}`)
    return lines.join('\n')
  }

  #now(days = 0): string {
    return new Date(this.#time + days * 86_400_000).toISOString()
  }

  #one(living: readonly Living[]): Living {
    const found = living[this.#random(living.length)]
    if (!found) throw new Error('nothing lives')
    return found
  }

  /** Xorshift: the same numbers in each run. */
  #random(below: number): number {
    let seed = this.#seed
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    this.#seed = seed
    return (seed >>> 0) % below
  }

  #hex(length: number): string {
    let text = ''
    while (text.length < length) text += this.#random(0x7fffffff).toString(16).padStart(8, '0')
    return text.slice(0, length)
  }

  #uid(): string {
    const hex = this.#hex(32)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
}

function replace(path: string, from: unknown, to: unknown): FieldChange {
  return { path, op: 'replace', from, to }
}

function serviceAccount(name: string, manager: string): Writer {
  const [namespace = ''] = name.split(':')
  const user = {
    username: `system:serviceaccount:${name}`,
    uid: `uid-of-${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {},
  }
  return { user, actor: 'service-account', manager, tool: manager }
}

function controller(name: string): Writer {
  return serviceAccount(`kube-system:${name}`, 'kube-controller-manager')
}
