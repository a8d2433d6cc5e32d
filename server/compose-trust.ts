import type { Foundation } from './foundation.ts'
import { createRequestedIdentity } from './kit/peer/requested-identity.ts'
import { LEAF_PATH } from './kit/peer/leaf-wire.ts'
import type { PeerIdentity } from './kit/peer/peer-identity.ts'
import { type CompanionAuthorities, createCompanionAuthorities } from './kit/tls/companion-authorities.ts'

/** Who signed the certificate that the API server meets at a webhook of this pod, and what follows from its change. */
export interface WebhookAuthority {
  /** PEM; empty before it is known. */
  bundle(): string
  onChange(listener: () => void): () => void
  /** Looks at once whether there is a newer one. */
  refresh(signal: AbortSignal): Promise<void>
}

/** By what the pod's listeners are believed: authorities of its own where it has the api, else leaves that it asks for. */
export type Trust = (
  | { readonly kind: 'api'; readonly authorities: CompanionAuthorities }
  | {
      readonly kind: 'rooms'
      readonly peer: PeerIdentity
      /** Of the webhook's listener, where a room here has one. */
      readonly serving: PeerIdentity | undefined
    }
) & { readonly webhookAuthority: WebhookAuthority }

/** Makes it; nothing begins to work yet. */
export function composeTrust(foundation: Foundation): Trust {
  const { config, transport, namespace, initial, servingName, clock, log } = foundation
  const shared = { transport, namespace, initial, clock, log }
  if (config.components.includes('api')) {
    const authorities = createCompanionAuthorities({
      ...shared,
      service: config.service,
      apiService: config.apiService,
    })
    return { kind: 'api', authorities, webhookAuthority: authorities.servingAuthority }
  }
  const asking = {
    ...shared,
    leafUrl: config.leafUrl || `https://${servingName}:443${LEAF_PATH}`,
    serverName: servingName,
    tokenFile: config.tokenFile,
  }
  const serving = config.components.includes('audit-log')
    ? createRequestedIdentity({ ...asking, profile: 'serving' })
    : undefined
  return {
    kind: 'rooms',
    peer: createRequestedIdentity({ ...asking, profile: 'peer' }),
    serving,
    webhookAuthority: {
      bundle: () => serving?.authorities() ?? '',
      onChange: (listener) => serving?.tls.onChange(listener) ?? (() => undefined),
      // The identity looks by itself every 45 s, and the registration again after that.
      refresh: async () => undefined,
    },
  }
}
