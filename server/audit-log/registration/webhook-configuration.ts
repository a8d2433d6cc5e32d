import { isDeepStrictEqual } from 'node:util'
import { applyObject, requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { ValidatingWebhook } from './webhooks-of.ts'

/** The collection of ValidatingWebhookConfigurations. */
export const WEBHOOK_CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'

/** What error messages call them. */
export const WEBHOOK_RESOURCE = 'validatingwebhookconfigurations.admissionregistration.k8s.io'

/** A ValidatingWebhookConfiguration as it was read. */
export interface WebhookConfiguration extends Watched {
  /** Rises when the webhooks change, not with labels. */
  readonly generation: number
  readonly webhooks: readonly unknown[]
  /** Whole, to be sent back. */
  readonly object: Readonly<Record<string, unknown>>
}

/** A configuration from its JSON. */
export function webhookConfigurationFromJson(value: unknown): WebhookConfiguration {
  const object = value as Readonly<Record<string, unknown>> & {
    readonly metadata?: {
      readonly uid?: string
      readonly resourceVersion?: string
      readonly generation?: number
    }
    readonly webhooks?: readonly unknown[] | null
  }
  return {
    uid: object.metadata?.uid ?? '',
    resourceVersion: object.metadata?.resourceVersion ?? '',
    generation: object.metadata?.generation ?? 0,
    webhooks: object.webhooks ?? [],
    object,
  }
}

/**
 * Whether a configuration says just these webhooks, in this order. Fields of a webhook or a rule that we do not know are let
 * be: a later Kubernetes may fill some in.
 */
export function saysJust(
  { webhooks }: Pick<WebhookConfiguration, 'webhooks'>,
  wanted: readonly unknown[],
): boolean {
  return webhooks.length === wanted.length && wanted.every((webhook, at) => says(webhooks[at], webhook))
}

function says(found: unknown, wanted: unknown): boolean {
  const [there, rest] = [found as Fields, wanted as Fields]
  return Object.entries(rest).every(([field, value]) => {
    if (field !== 'rules') return isDeepStrictEqual(there[field], value)
    const [rules, wantedRules] = [there[field] as readonly Fields[], value as readonly Fields[]]
    return (
      rules?.length === wantedRules.length &&
      wantedRules.every((rule, at) =>
        Object.entries(rule).every(([name, part]) => isDeepStrictEqual(rules[at]?.[name], part)),
      )
    )
  })
}

type Fields = Readonly<Record<string, unknown>>

/** Whether a configuration sends reviews to a namespace other than this one. */
export function leadsElsewhere({ webhooks }: WebhookConfiguration, namespace: string): boolean {
  return webhooks.some((webhook) => {
    const { clientConfig } = webhook as {
      readonly clientConfig?: { readonly service?: { readonly namespace?: string } | null }
    }
    return clientConfig?.service?.namespace !== namespace
  })
}

/** Which configuration, and as whom. */
export interface WebhookPlace {
  readonly transport: KubeTransport
  readonly name: string
}

const FIELD_MANAGER = 'deckwatch-companion'

/** Reads a configuration by its name; undefined where there is none. */
export async function readWebhooks(
  { transport, name }: WebhookPlace,
  signal: AbortSignal,
): Promise<WebhookConfiguration | undefined> {
  try {
    const found = await requestJson<unknown>(transport, {
      path: pathOf(name),
      purpose: purposeOf('get', name),
      signal,
    })
    return webhookConfigurationFromJson(found)
  } catch (error) {
    if (error instanceof DeckError && error.status === 404) return undefined
    throw error
  }
}

/** Makes a configuration say just this; with its uid an apply changes the object that was seen or fails: it makes none. */
export async function writeWebhooks(
  place: WebhookPlace,
  { uid }: WebhookConfiguration,
  webhooks: readonly ValidatingWebhook[],
  signal: AbortSignal,
): Promise<WebhookConfiguration> {
  const { transport, name } = place
  const answer = await applyObject<unknown>(
    transport,
    {
      path: pathOf(name),
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name, uid },
        webhooks,
      },
      purpose: purposeOf('patch', name),
      signal,
    },
    { fieldManager: FIELD_MANAGER, force: true },
  )
  const applied = webhookConfigurationFromJson(answer)
  // What others added beside our fields, as a selector, an apply leaves.
  return saysJust(applied, webhooks) ? applied : updateWebhooks(place, applied, webhooks, signal)
}

/** Replaces the webhooks of exactly the version that was read. */
export async function updateWebhooks(
  { transport, name }: WebhookPlace,
  { object }: WebhookConfiguration,
  webhooks: readonly unknown[],
  signal: AbortSignal,
): Promise<WebhookConfiguration> {
  const updated = await requestJson<unknown>(transport, {
    method: 'PUT',
    path: `${pathOf(name)}?fieldManager=${FIELD_MANAGER}`,
    body: { ...object, webhooks },
    purpose: purposeOf('update', name),
    signal,
  })
  return webhookConfigurationFromJson(updated)
}

function pathOf(name: string): string {
  return `${WEBHOOK_CONFIGURATIONS}/${name}`
}

function purposeOf(verb: string, name: string) {
  return { verb, resource: WEBHOOK_RESOURCE, name, namespaced: false }
}
