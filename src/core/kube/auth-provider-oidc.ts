import { DeckError } from '../lib/errors.ts'
import { saveAuthProvider } from './auth-provider-save.ts'
import { createConnectFiles } from './connect-files.ts'
import type { ProviderLogin } from './connection-credential.ts'
import type { AuthProviderConfig, ClusterConnection, ConnectionEnvironment } from './connection.ts'
import { createHttpsTransport } from './https-transport.ts'
import { readAll } from './transport.ts'
import type { KubeTransport } from './transport.ts'

// golang.org/x/oauth2: a token is taken for ended this long before it is, for clocks that differ.
const LEEWAY_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

function fault(what: string): DeckError {
  return new DeckError('CREDENTIAL_PLUGIN', `the login with oidc cannot be renewed: ${what}`, {
    hint: 'Log in again (kubelogin, kubectl oidc-login …), then try again.',
  })
}

// RFC 7519: the middle part of a JWT holds its end, in seconds.
function endOf(token: string): number {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      exp?: unknown
    }
    return typeof payload.exp === 'number' ? payload.exp * 1000 : 0
  } catch {
    return 0
  }
}

function transportTo(
  server: string,
  authorization: string | undefined,
  config: Readonly<Record<string, string>>,
  environment: ConnectionEnvironment,
): KubeTransport {
  const data = config['idp-certificate-authority-data']
  const file = config['idp-certificate-authority']
  const connection: ClusterConnection = {
    server,
    contextName: '',
    clusterName: '',
    userName: '',
    namespace: '',
    namespaceGiven: false,
    source: 'flags',
    trust: {
      authority: data ? { pem: Buffer.from(data, 'base64').toString('utf8') } : file ? { file } : undefined,
      insecure: false,
    },
    clientCertificate: undefined,
    auth: { kind: 'none' },
    impersonate: undefined,
    proxyUrl: undefined,
    disableCompression: false,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  }
  return createHttpsTransport({
    connection,
    environment,
    files: createConnectFiles(environment),
    credentials: {
      current: async () => ({ authorization, certificate: undefined, key: undefined }),
      renew: async () => false,
    },
    userAgent: 'deckwatch',
  })
}

/** What an identity provider answers; never quoted in an error, since a good answer is a secret. */
interface Answer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

/** Asks an identity provider over the machine's network, proxies included. */
type Ask = (url: string, form?: URLSearchParams, authorization?: string) => Promise<Answer>

function asker(
  config: Readonly<Record<string, string>>,
  environment: ConnectionEnvironment,
  signal: AbortSignal | undefined,
): Ask {
  return async (url, form, authorization) => {
    const { origin, pathname, search } = new URL(url)
    const transport = transportTo(origin, authorization, config, environment)
    try {
      const response = await transport.send({
        path: pathname + search,
        signal,
        ...(form
          ? { method: 'POST', body: form.toString(), contentType: 'application/x-www-form-urlencoded' }
          : {}),
      })
      const text = Buffer.from(await readAll(response.body)).toString('utf8')
      return { status: response.status, json: parse(text) }
    } catch (error) {
      signal?.throwIfAborted()
      throw fault(`${origin} does not answer (${error instanceof DeckError ? error.code : String(error)})`)
    } finally {
      transport.close()
    }
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

async function refresh(config: Readonly<Record<string, string>>, ask: Ask): Promise<Record<string, string>> {
  const issuer = config['idp-issuer-url']
  const client = config['client-id']
  const secret = config['client-secret']
  const refreshToken = config['refresh-token']
  if (!issuer || !client || !URL.canParse(issuer)) {
    throw fault('idp-issuer-url or client-id is missing in the kubeconfig')
  }
  if (!refreshToken) throw fault('the id-token has ended, and there is no refresh-token')
  const discovery = await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const endpoint = discovery.json['token_endpoint']
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) {
    throw fault(`${issuer} names no token_endpoint (HTTP ${discovery.status})`)
  }
  const grant = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const inForm = new URLSearchParams({
    ...grant,
    client_id: client,
    ...(secret ? { client_secret: secret } : {}),
  })
  // RFC 6749 §2.3.1 prefers the header, and not every provider takes it: golang.org/x/oauth2 tries both too.
  let answer: Answer | undefined
  if (secret) {
    const login = `${encodeURIComponent(client)}:${encodeURIComponent(secret)}`
    answer = await ask(endpoint, new URLSearchParams(grant), `Basic ${Buffer.from(login).toString('base64')}`)
  }
  if (!answer || answer.status >= 400) answer = await ask(endpoint, inForm)
  const { id_token: idToken, refresh_token: nextRefreshToken, error } = answer.json
  if (answer.status >= 400) {
    throw fault(`${issuer} refused (${typeof error === 'string' ? error.slice(0, 80) : answer.status})`)
  }
  // It is no required part of the answer: some providers leave it out (kubernetes#36847).
  if (typeof idToken !== 'string') throw fault(`${issuer} gave no id_token; was the scope openid asked for?`)
  return {
    'id-token': idToken,
    ...(typeof nextRefreshToken === 'string' && nextRefreshToken
      ? { 'refresh-token': nextRefreshToken }
      : {}),
  }
}

/**
 * kubectl's own `oidc` provider: the id-token of the kubeconfig while it lasts, then a new one, which is written back
 * as kubectl does, since many providers let a refresh token serve only once.
 */
export function createOidcLogin(
  provider: AuthProviderConfig,
  environment: ConnectionEnvironment,
): ProviderLogin {
  let { config } = provider
  return {
    async token(refused, signal) {
      const idToken = config['id-token']
      if (idToken && !refused && environment.clock.now() + LEEWAY_MS < endOf(idToken)) return idToken
      const renewed = await refresh(config, asker(config, environment, signal))
      config = { ...config, ...renewed }
      if (provider.origin) await saveAuthProvider(provider.origin, renewed)
      return config['id-token']
    },
  }
}
