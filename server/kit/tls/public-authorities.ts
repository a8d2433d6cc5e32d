import { applyObject, requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import type { Authority } from './authority.ts'
import { repeatStep } from './repeat-step.ts'
import { Wakeup } from './wakeup.ts'

/** The ConfigMap in which every pod of the companion finds whom to believe. */
export const AUTHORITIES_CONFIG_MAP = 'deckwatch-ca'

/** The authorities' bundles, PEM, as the ConfigMap has them; empty where it says nothing. */
export interface PublicAuthorities {
  readonly 'ca.crt': string
  readonly 'peer-ca.crt': string
}

/** What publishing stands on. */
export interface PublishOptions {
  readonly transport: KubeTransport
  readonly namespace: string
  readonly serving: Pick<Authority, 'bundle' | 'onChange' | 'refresh'>
  readonly peer: Pick<Authority, 'bundle' | 'onChange' | 'refresh'>
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

const FIELD_MANAGER = 'deckwatch-companion'

const PERIOD_MS = 45_000

/** Keeps the ConfigMap saying what the authorities are until the signal aborts; what others write there is mended. */
export async function publishAuthorities(options: PublishOptions, signal: AbortSignal): Promise<void> {
  const { transport, namespace, serving, peer, clock, log, random = Math.random } = options
  const wakeup = new Wakeup()
  const wanted = (): PublicAuthorities => ({ 'ca.crt': serving.bundle(), 'peer-ca.crt': peer.bundle() })
  const differs = async (): Promise<boolean> => {
    const { 'ca.crt': authority, 'peer-ca.crt': peerAuthority } = wanted()
    if (authority === '' || peerAuthority === '') return false
    const there = await readPublicAuthorities(transport, namespace, signal)
    return there['ca.crt'] !== authority || there['peer-ca.crt'] !== peerAuthority
  }
  const step = async (): Promise<void> => {
    if (!(await differs())) return
    // Another replica may know newer ones and have written them: ours must not take them back.
    await Promise.all([serving.refresh(signal), peer.refresh(signal)])
    if (!(await differs())) return
    await applyObject(
      transport,
      {
        path: pathOf(namespace),
        body: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name: AUTHORITIES_CONFIG_MAP,
            namespace,
            labels: { 'app.kubernetes.io/name': 'deckwatch' },
          },
          data: wanted(),
        },
        purpose: { verb: 'patch', resource: 'configmaps', name: AUTHORITIES_CONFIG_MAP, namespace },
        signal,
      },
      { fieldManager: FIELD_MANAGER, force: true },
    )
    log.info({ configMap: `${namespace}/${AUTHORITIES_CONFIG_MAP}` }, 'published the authorities')
  }
  const stops = [serving, peer].map((authority) => authority.onChange(() => wakeup.ring()))
  try {
    const what = 'publish the authorities'
    await repeatStep({ periodMs: PERIOD_MS, what, clock, random, log, wakeup, step }, signal)
  } finally {
    for (const stop of stops) stop()
  }
}

/** What the ConfigMap says now. */
export async function readPublicAuthorities(
  transport: KubeTransport,
  namespace: string,
  signal: AbortSignal,
): Promise<PublicAuthorities> {
  try {
    const { data } = await requestJson<{ readonly data?: Partial<PublicAuthorities> | null }>(transport, {
      path: pathOf(namespace),
      purpose: { verb: 'get', resource: 'configmaps', name: AUTHORITIES_CONFIG_MAP, namespace },
      signal,
    })
    return { 'ca.crt': data?.['ca.crt'] ?? '', 'peer-ca.crt': data?.['peer-ca.crt'] ?? '' }
  } catch (error) {
    if (error instanceof DeckError && error.status === 404) return { 'ca.crt': '', 'peer-ca.crt': '' }
    throw error
  }
}

function pathOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${AUTHORITIES_CONFIG_MAP}`
}
