import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_VALUES, manifests, NAMES, type DeployValues, type Step } from '../../server/deploy/index.ts'
import { ApiStatusError, type ApiClient } from './kubernetes/api-client.ts'

/** What a companion that is a process of this host needs in the cluster: all but its pods. */
const STEPS: ReadonlySet<Step> = new Set<Step>(['namespace', 'accounts', 'rights'])

const API_SERVICE = `/apis/apiregistration.k8s.io/v1/apiservices/${NAMES.apiService}`
const WEBHOOK = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${NAMES.auditLog}`
const SERVED_MS = 120_000

/**
 * Makes the namespace, the ServiceAccounts and exactly the rights that `install` would make; gives the name of the
 * account of the pod in question. `apart`: the api has pods of its own.
 */
export async function grantCompanion(
  admin: ApiClient,
  {
    namespace,
    apart,
    isApi,
    rooms,
    values: chosen = {},
  }: {
    readonly namespace: string
    readonly apart: boolean
    readonly isApi: boolean
    readonly rooms: readonly string[]
    readonly values?: Partial<DeployValues>
  },
): Promise<string> {
  const values = {
    ...DEFAULT_VALUES,
    ...(rooms.length > 0 ? { components: rooms } : {}),
    ...chosen,
    namespace,
    apiReplicas: apart ? 1 : 0,
  }
  for (const { step, path, object } of manifests(values))
    if (STEPS.has(step) || path === WEBHOOK || path.endsWith(`/configmaps/${NAMES.purge}`))
      await put(admin, path, object)
  return apart && isApi ? NAMES.api : NAMES.companion
}

/** Lets the API server send the group's requests to this port, and waits until they are answered. */
export async function registerCompanion(admin: ApiClient, namespace: string, port: number): Promise<void> {
  await pointApiService(admin, namespace, port)
  await untilServed(admin)
}

/** Lets the API server send the group's requests to this port, as the APIService of an installation does. */
export async function pointApiService(admin: ApiClient, namespace: string, port: number): Promise<void> {
  const service = `/api/v1/namespaces/${namespace}/services/${NAMES.companion}`
  await put(admin, service, {
    metadata: { name: NAMES.companion },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  await put(admin, API_SERVICE, {
    metadata: { name: NAMES.apiService },
    spec: {
      group: 'deckwatch.dev',
      version: 'v1alpha1',
      groupPriorityMinimum: 1,
      versionPriority: 1,
      service: { namespace, name: NAMES.companion, port },
    },
  })
}

/** Takes the APIService away, unless it points to another companion. */
export async function unregisterCompanion(admin: ApiClient, namespace: string, port: number): Promise<void> {
  try {
    const { spec } = await admin.send<{ spec: { service: { namespace: string; port: number } } }>(
      'GET',
      API_SERVICE,
    )
    if (spec.service.namespace === namespace && spec.service.port === port)
      await admin.text('DELETE', API_SERVICE)
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 404)) throw error
  }
}

/** A real GET, since Available=True says nothing about TLS; and discovery, by which kubectl finds the kinds. */
export async function untilServed(admin: ApiClient): Promise<void> {
  for (const until = Date.now() + SERVED_MS; ;) {
    try {
      await admin.text('GET', '/apis/deckwatch.dev/v1alpha1')
      if ((await admin.text('GET', '/apis')).includes('deckwatch.dev')) return
    } catch (error) {
      if (!(error instanceof ApiStatusError) || Date.now() > until) throw error
    }
    await delay(50)
  }
}

/** Takes the audit log's webhook away, as uninstalling does. */
export async function removeWebhook(admin: ApiClient): Promise<void> {
  try {
    await admin.text('DELETE', WEBHOOK)
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 404)) throw error
  }
}

async function put(admin: ApiClient, path: string, object: unknown): Promise<void> {
  try {
    await admin.text('POST', path.slice(0, path.lastIndexOf('/')), object)
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 409)) throw error
    await admin.text('PATCH', path, object)
  }
}
