import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesObject } from '@kubernetes/client-node'
import { type KubectlCluster, kubectlOutput } from '../kubernetes/kubectl.ts'
import { payManifests, shopManifests, type ShopNamespaces } from './shop-manifests.ts'

const READY_LIMIT_MS = 180_000

/** Puts the shop's first namespace up, with one Job as the CronJob controller makes it. */
export async function deployShop(cluster: KubectlCluster, namespaces: ShopNamespaces): Promise<void> {
  await makeNamespace(cluster, namespaces.shop)
  await applyManifests(cluster, shopManifests(namespaces))
  await kubectlOutput(cluster, [
    'create',
    'job',
    scheduledJobName('report', Date.now()),
    '--from=cronjob/report',
    `--namespace=${namespaces.shop}`,
  ])
}

/** Puts the shop's second namespace up. */
export async function deployPay(cluster: KubectlCluster, namespaces: ShopNamespaces): Promise<void> {
  await makeNamespace(cluster, namespaces.pay)
  await applyManifests(cluster, payManifests(namespaces))
}

/** `kubectl apply --server-side` of objects, as one list from its standard input. */
export async function applyManifests(
  cluster: KubectlCluster,
  items: readonly KubernetesObject[],
): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  await kubectlOutput(cluster, ['apply', '--server-side', '--filename=-'], { input })
}

/** Deletes the shop's namespaces and waits until they are gone; fine where there are none. */
export async function removeShop(cluster: KubectlCluster, { shop, pay }: ShopNamespaces): Promise<void> {
  await kubectlOutput(cluster, ['delete', 'namespace', shop, pay, '--ignore-not-found', '--timeout=120s'])
}

/** The name of a CronJob's Job for a time, in epoch milliseconds: the CronJob's name and the time in minutes. */
function scheduledJobName(cronJob: string, time: number): string {
  return `${cronJob}-${Math.floor(time / 60_000)}`
}

/** Makes a namespace and waits until pods can be created in it, for its ServiceAccount comes a moment later. */
async function makeNamespace(cluster: KubectlCluster, name: string): Promise<void> {
  await applyManifests(cluster, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }])
  const signal = AbortSignal.timeout(READY_LIMIT_MS)
  while (
    (await cluster.kubectl(['get', 'serviceaccount', 'default', `--namespace=${name}`])).exitCode !== 0
  ) {
    await delay(100, undefined, { signal })
  }
}
