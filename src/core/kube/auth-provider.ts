import { DeckError } from '../lib/errors.ts'
import { bearer } from './connection-credential.ts'
import type { CredentialSource, ProviderLogin } from './connection-credential.ts'
import type { AuthProviderConfig, ConnectionEnvironment } from './connection.ts'

/** The part of @kubernetes/client-node's authenticators that is used. */
interface ClientNodeAuthenticator {
  applyAuthentication(
    user: { name: string; authProvider: { name: string; config: Record<string, string> } },
    options: { headers: Record<string, string> },
  ): Promise<void>
}

// The one door to @kubernetes/client-node's code. kubectl itself has dropped these two, so few will ever load it.
async function loadAuthenticator(name: 'gcp' | 'azure'): Promise<ClientNodeAuthenticator> {
  switch (name) {
    case 'gcp': {
      const { GoogleCloudPlatformAuth } = await import('@kubernetes/client-node/dist/gcp_auth.js')
      return new GoogleCloudPlatformAuth()
    }
    case 'azure': {
      const { AzureAuth } = await import('@kubernetes/client-node/dist/azure_auth.js')
      return new AzureAuth()
    }
  }
}

function commandLogin(name: 'gcp' | 'azure', provider: AuthProviderConfig): ProviderLogin {
  // It writes the new token into what it is given.
  const config: Record<string, string> = { ...provider.config }
  return {
    async token(refused) {
      // Without a token it runs the provider's command.
      if (refused) delete config['access-token']
      const options = { headers: {} as Record<string, string> }
      const authenticator = await loadAuthenticator(name)
      try {
        await authenticator.applyAuthentication({ name: '', authProvider: { name, config } }, options)
      } catch {
        // Without the cause: it quotes what the command printed.
        throw new Error(config['cmd-path'] ? `${config['cmd-path']} failed` : 'the token has ended')
      }
      return options.headers['Authorization']?.replace(/^Bearer /, '')
    },
  }
}

async function loginOf(
  provider: AuthProviderConfig,
  environment: ConnectionEnvironment,
): Promise<ProviderLogin> {
  switch (provider.name) {
    case 'oidc': {
      const { createOidcLogin } = await import('./auth-provider-oidc.ts')
      return createOidcLogin(provider, environment)
    }
    case 'gcp':
    case 'azure':
      return commandLogin(provider.name, provider)
    default:
      throw new DeckError(
        'CREDENTIAL_PLUGIN',
        `the auth-provider ${JSON.stringify(provider.name)} of the kubeconfig is not known`,
        {
          hint: 'Known are oidc, gcp and azure; log in through an exec plugin instead, as kubectl wants it.',
        },
      )
  }
}

/** Credentials of a kubeconfig's legacy `auth-provider`: oidc as kubectl has it, gcp and azure by client-node's code. */
export function createAuthProvider(
  provider: AuthProviderConfig,
  environment: ConnectionEnvironment,
): CredentialSource {
  let login: Promise<ProviderLogin> | undefined
  // One after the other: a refresh token may serve only once.
  let last: Promise<unknown> = Promise.resolve()

  async function ask(refused: boolean, signal: AbortSignal | undefined): Promise<string> {
    login ??= loginOf(provider, environment)
    let token: string | undefined
    try {
      token = await (await login).token(refused, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof DeckError && error.code === 'CREDENTIAL_PLUGIN') throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new DeckError('CREDENTIAL_PLUGIN', `the login with ${provider.name} failed: ${reason}`, {
        hint: `Log in again with ${provider.name}, or move to an exec plugin.`,
      })
    }
    const authorization = token === undefined ? undefined : bearer(token)
    if (authorization !== undefined) return authorization
    throw new DeckError('CREDENTIAL_PLUGIN', `the login with ${provider.name} gave no token`, {
      hint: `Log in again with ${provider.name}, or move to an exec plugin.`,
    })
  }

  function inTurn(refused: boolean, signal: AbortSignal | undefined): Promise<string> {
    const turn = last.then(() => ask(refused, signal))
    last = turn.catch(() => undefined)
    return turn
  }

  return {
    current: async (signal) => ({
      authorization: await inTurn(false, signal),
      certificate: undefined,
      key: undefined,
    }),
    async renew(used, signal) {
      return (await inTurn(true, signal)) !== used.authorization
    },
  }
}
