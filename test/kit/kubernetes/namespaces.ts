import { setTimeout as delay } from 'node:timers/promises'
import { ApiStatusError, type ApiClient } from './api-client.ts'

/** Makes a namespace in which pods can be created at once; one that is there already is left as it is. */
export async function ensureNamespace(admin: ApiClient, name: string): Promise<void> {
  await create(admin, '/api/v1/namespaces', name)
  await ensureServiceAccount(admin, name, 'default')
}

/** Waits until the controllers have put into a namespace what they put into each; it needs a controller manager. */
export async function namespaceIsFurnished(admin: ApiClient, name: string): Promise<void> {
  const limit = AbortSignal.timeout(120_000)
  for (const path of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
    while (!(await isThere(admin, `/api/v1/namespaces/${name}/${path}`, limit)))
      await delay(50, undefined, { signal: limit })
  }
}

/** Makes a ServiceAccount unless it is there. */
export async function ensureServiceAccount(admin: ApiClient, namespace: string, name: string): Promise<void> {
  await create(admin, `/api/v1/namespaces/${namespace}/serviceaccounts`, name)
}

/**
 * Deletes a namespace and waits until it is gone; its pods end at once, for no kubelet may be there to end them.
 * It takes seconds, but half a minute where the API server was killed several times: the controller manager backs off.
 */
export async function deleteNamespace(admin: ApiClient, name: string, signal?: AbortSignal): Promise<void> {
  const path = `/api/v1/namespaces/${name}`
  const limit = AbortSignal.any([AbortSignal.timeout(180_000), ...(signal ? [signal] : [])])
  try {
    await admin.text('DELETE', path, undefined, limit)
    for (;;) {
      // Again each time: a controller may have made new ones.
      await admin.text('DELETE', `${path}/pods?gracePeriodSeconds=0`, undefined, limit)
      await delay(100, undefined, { signal: limit })
      await admin.text('GET', path, undefined, limit)
    }
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 404)) throw error
  }
}

async function isThere(admin: ApiClient, path: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await admin.text('GET', path, undefined, signal)
    return true
  } catch (error) {
    if (error instanceof ApiStatusError && error.status === 404) return false
    throw error
  }
}

async function create(admin: ApiClient, collection: string, name: string): Promise<void> {
  // A write that is refused is reviewed all the same, and a companion waits half a minute for what comes of it.
  if (await isThere(admin, `${collection}/${name}`)) return
  try {
    await admin.text('POST', collection, { metadata: { name } })
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 409)) throw error
  }
}
