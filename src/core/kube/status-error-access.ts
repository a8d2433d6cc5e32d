import { DeckError } from '../lib/errors.ts'
import { purposeText } from './status-error-purpose.ts'
import type { RequestPurpose } from './status-error-purpose.ts'
import { certificateExpiry } from './tls-certificate.ts'

const NO_PERSON = 'system:anonymous'

function who({ identity }: RequestPurpose): string {
  if (!identity) return ''
  const parts = [
    identity.contextName && `context ${JSON.stringify(identity.contextName)}`,
    identity.userName && `user ${JSON.stringify(identity.userName)}`,
  ].filter(Boolean)
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}

function logInAgain({ identity }: RequestPurpose, certificateEndedAt: string | undefined): string {
  const user = identity?.userName || 'USER'
  if (certificateEndedAt) {
    return 'Get a new client certificate and put it into the kubeconfig, or name another context with --context.'
  }
  const { auth } = identity ?? {}
  switch (auth?.kind) {
    case 'exec':
      return `Log in again the way ${JSON.stringify(auth.exec.command)} wants it (gcloud auth login, aws sso login, az login …), then try again.`
    case 'auth-provider':
      return `Log in again with ${auth.provider.name}, or move to an exec plugin, then try again.`
    case 'token':
      return `The token may have ended: get a new one, then give --token or run \`kubectl config set-credentials ${user} --token=…\`.`
    case 'token-file':
      return `The token in ${auth.file} may have ended: put a new one there, or give --token.`
    case 'basic':
      return 'API servers since 1.19 know no passwords: use a token or a client certificate.'
    case 'none':
    case undefined:
      return identity?.clientCertificate
        ? 'The server may not know the authority of the client certificate: is it the right cluster (--context)?'
        : 'Log in to the cluster, or name another context or user with --context or --user.'
  }
}

/** 401: names who we were by kubeconfig names, what ended, and how to log in again. */
export function unauthorized(message: string, purpose: RequestPurpose): DeckError {
  const { identity } = purpose
  const endedAt = identity?.clientCertificate && certificateExpiry(identity.clientCertificate.certificate)
  const ended =
    endedAt !== undefined && endedAt < Date.now() ? new Date(endedAt).toISOString().slice(0, 10) : undefined
  const server = identity ? ` ${identity.server}` : ''
  const said = ended
    ? `the client certificate ended on ${ended}`
    : message && !/^unauthorized$/i.test(message)
      ? message
      : 'the credentials are not accepted, or none were given'
  return new DeckError(
    'KUBE_UNAUTHORIZED',
    `cannot ${purposeText(purpose)}: the API server${server} does not know us${who(purpose)}: ${said}`,
    { hint: logInAgain(purpose, ended), status: 401 },
  )
}

/** What the API server's RBAC sentence says. */
interface Refusal {
  readonly user: string
  readonly verb: string
  /** With its API group: `deployments.apps`, `pods/log`. */
  readonly resource: string
  readonly namespace: string | undefined
  readonly object: string | undefined
  readonly rest: string
}

function parseRefusal(message: string): Refusal | undefined {
  // k8s.io/apiserver, pkg/endpoints/handlers/responsewriters: forbiddenMessage.
  const match =
    /^(?:(?<subject>\S+) (?:"(?<object>[^"]*)" )?is forbidden: )?User "(?<user>[^"]*)" cannot (?<verb>\S+) (?:resource "(?<resource>[^"]*)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)"| at the cluster scope)?|path "(?<path>[^"]*)")(?:: )?(?<rest>.*)$/.exec(
      message,
    )
  const { groups } = match ?? {}
  if (!groups) return undefined
  const [resource = '', subresource] = (groups['resource'] ?? '').split('/')
  const qualified = groups['group'] ? `${resource}.${groups['group']}` : resource
  return {
    user: groups['user'] ?? '',
    verb: groups['verb'] ?? '',
    resource: groups['path'] ?? (subresource ? `${qualified}/${subresource}` : qualified),
    namespace: groups['namespace'],
    object: groups['object'],
    rest: groups['rest'] ?? '',
  }
}

/** 403: names the user, the missing right, and for a question over all namespaces that one namespace may do. */
export function forbidden(message: string, purpose: RequestPurpose): DeckError {
  const refusal = parseRefusal(message)
  if (!refusal) {
    const said = message || 'it did not say why'
    return new DeckError('KUBE_FORBIDDEN', `may not ${purposeText(purpose)}${who(purpose)}: ${said}`, {
      hint: `The right to ${purpose.verb} ${purpose.resource} may be missing; \`kubectl auth can-i --list\` shows yours.`,
      status: 403,
    })
  }
  const { user, verb, resource, namespace, object, rest } = refusal
  const everywhere = namespace === undefined && purpose.namespaced !== false && verb !== 'impersonate'
  const where = namespace ? ` in namespace ${namespace}` : everywhere ? ' in all namespaces' : ''
  const right = `${verb} ${resource}${object ? ` ${JSON.stringify(object)}` : ''}${where}`
  const hint =
    user === NO_PERSON
      ? 'No credentials were sent: log in to the cluster, or name another context or user with --context or --user.'
      : everywhere && purpose.namespace === undefined
        ? `It needs a ClusterRole with the right to ${verb} ${resource}; with that right in one namespace only, ask for it: -n NAMESPACE.`
        : `The right to ${right} is missing; whoever manages the cluster can give it with a Role${namespace ? '' : ' of cluster scope'}.`
  return new DeckError(
    'KUBE_FORBIDDEN',
    `user ${JSON.stringify(user)} may not ${right}${rest ? ` (${rest})` : ''}`,
    { hint, status: 403 },
  )
}
