import { applyObject } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { API_SERVICES, apiServiceFromJson, type ApiServiceSlice } from './api-service.ts'
import type { Authority } from './authority.ts'
import { repeatStep } from './repeat-step.ts'
import { followObject } from './single-object.ts'
import { Wakeup } from './wakeup.ts'

/** What writing the bundle stands on. */
export interface CaBundleOptions {
  readonly transport: KubeTransport
  /** `v1alpha1.deckwatch.dev`. */
  readonly apiService: string
  /** Of the Service behind it: an APIService that points elsewhere is another installation's and left alone. */
  readonly namespace: string
  readonly authority: Pick<Authority, 'bundle' | 'onChange' | 'refresh'>
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

/** Manifests never say this field, so that whoever applies them again, or compares, sees no drift. */
const FIELD_MANAGER = 'deckwatch-companion'

/** Whoever else writes the field is corrected no more often than this. */
const PAUSE_MS = 2000

const LOOK_AGAIN_MS = 60_000

/**
 * Keeps spec.caBundle of the APIService equal to the authority's bundle until the signal aborts, by a server-side
 * apply of that field alone; an APIService that is not there is waited for, never made.
 */
export async function keepCaBundle(options: CaBundleOptions, signal: AbortSignal): Promise<void> {
  const { transport, apiService, namespace, authority, clock, log, random = Math.random } = options
  const wakeup = new Wakeup()
  let found: ApiServiceSlice | undefined

  const differs = (): boolean => {
    const bundle = authority.bundle()
    return found?.namespace === namespace && bundle !== '' && found.caBundle !== base64(bundle)
  }
  const follow = async (): Promise<void> => {
    const object = {
      transport,
      path: API_SERVICES,
      name: apiService,
      purpose: { resource: 'apiservices.apiregistration.k8s.io', namespaced: false },
      fromJson: apiServiceFromJson,
      clock,
      random,
    }
    for await (const state of followObject(object, signal)) {
      found = state
      wakeup.ring()
    }
  }
  const write = async (): Promise<void> => {
    if (!differs()) return
    // Another replica may know a newer bundle and have written it: ours must not take it back.
    await authority.refresh(signal)
    if (!found || !differs()) return
    const applied = await applyObject<unknown>(
      transport,
      {
        path: `${API_SERVICES}/${apiService}`,
        body: {
          apiVersion: 'apiregistration.k8s.io/v1',
          kind: 'APIService',
          // With its uid an apply changes the object that was seen or fails: it never makes one.
          metadata: { name: apiService, uid: found.uid },
          spec: { caBundle: base64(authority.bundle()) },
        },
        purpose: {
          verb: 'patch',
          resource: 'apiservices.apiregistration.k8s.io',
          name: apiService,
          namespaced: false,
        },
        signal,
      },
      { fieldManager: FIELD_MANAGER, force: true },
    )
    found = apiServiceFromJson(applied)
    log.info({ apiService }, 'wrote the caBundle of the APIService')
    await new Wakeup().wait(clock, PAUSE_MS, signal)
  }

  const stop = authority.onChange(() => wakeup.ring())
  const shared = { clock, random, log }
  try {
    await Promise.all([
      repeatStep({ ...shared, periodMs: LOOK_AGAIN_MS, what: 'follow the APIService', step: follow }, signal),
      repeatStep(
        { ...shared, periodMs: LOOK_AGAIN_MS, what: "write the APIService's caBundle", wakeup, step: write },
        signal,
      ),
    ])
  } finally {
    stop()
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
