import { serviceAccountOf } from '../../../core/model/actor.ts'
import type { Change, ChangeCause, ChangeUser, ChangeVia } from '../../../core/wire/change.ts'

/** Tools by the names that people know them by; others are shown as they are. */
const TOOL_NAMES: Readonly<Record<string, string>> = {
  'argo-cd': 'Argo CD',
  flux: 'Flux',
  helm: 'Helm',
  terraform: 'Terraform',
  pulumi: 'Pulumi',
  fleet: 'Fleet',
  'config-sync': 'Config Sync',
  lens: 'Lens',
  headlamp: 'Headlamp',
  freelens: 'Freelens',
  aptakube: 'Aptakube',
}

/** Controllers of Kubernetes whose account's name says less than a word. */
const CONTROLLERS: Readonly<Record<string, string>> = {
  'generic-garbage-collector': 'the garbage collector',
  'horizontal-pod-autoscaler': 'the autoscaler',
  'pod-garbage-collector': 'the pod garbage collector',
  'daemon-set-controller': 'the daemonset controller',
  'cronjob-controller': 'the cronjob controller',
}

/** A tool's name in a sentence: `Argo CD`. */
export function toolName(tool: string): string {
  return TOOL_NAMES[tool] ?? tool
}

/** An account as screens show it: `argocd/argocd-application-controller`, `node worker-1`, any other as it is. */
export function accountText(username: string): string {
  const account = serviceAccountOf(username)
  if (account) return `${account.namespace}/${account.name}`
  const node = /^system:node:(.+)$/s.exec(username)?.[1]
  return node === undefined ? username : `node ${node}`
}

/** The WHO of a change: a person, on whose behalf a tool wrote, or what is known instead of a name. */
export function whoText({
  user,
  candidates,
  state,
  via,
  cause,
}: Pick<Change, 'user' | 'candidates' | 'state' | 'via' | 'cause'>): string {
  if (state === 'ambiguous' && candidates && candidates.length > 0) {
    return `one of: ${[...new Set(candidates.map(({ username }) => accountText(username)))].join(', ')}`
  }
  const account = user === undefined ? unnamed(via) : accountText(user.username)
  if (via.initiatedBy !== '') {
    return `${accountText(via.initiatedBy)} via ${toolName(via.tool) || account}`
  }
  return (cause && behind(cause, user)) ?? account
}

function unnamed({ manager }: ChangeVia): string {
  return manager === '' ? '?' : `? (manager: ${manager})`
}

/** Who stood behind what a controller did: `dev-1@example.org via the garbage collector`; undefined where not known. */
function behind({ type, object, username }: ChangeCause, user: ChangeUser | undefined): string | undefined {
  const person = username === '' ? undefined : actorWords(username)
  const hand = user === undefined ? undefined : actorWords(user.username)
  switch (type) {
    case 'namespace':
      return person === undefined
        ? hand && `${hand} (${lowerKind(object)} was deleted)`
        : `${person} (deleted ${lowerKind(object)})`
    case 'eviction':
      return person && `${person} (eviction)`
    case 'autoscaler':
      return `the autoscaler ${object.split(' ').slice(1).join(' ')}`
    case 'owner':
      if (person === undefined || person === hand) return undefined
      return hand === undefined ? `${person} (by ${lowerKind(object)})` : `${person} via ${hand}`
  }
}

/** `Deployment web` as `deployment/web`. */
function lowerKind(object: string): string {
  const [kind = '', ...name] = object.split(' ')
  return name.length === 0 ? object : `${kind.toLowerCase()}/${name.join(' ')}`
}

/** An account within a sentence: `the garbage collector`, `the deployment controller`, `the scheduler`, or its name. */
export function actorWords(username: string): string {
  const account = serviceAccountOf(username)
  if (account?.namespace === 'kube-system') {
    const name = CONTROLLERS[account.name]
    if (name !== undefined) return name
    const controller = /^(.+)-controller$/.exec(account.name)?.[1]
    if (controller !== undefined) return `the ${controller.replaceAll('-', ' ')} controller`
  }
  if (username === 'system:kube-scheduler') return 'the scheduler'
  if (username === 'system:kube-controller-manager') return 'the controller manager'
  return accountText(username)
}

/** `Argo CD: shop@9f3c2e1`; empty where a tool has no source, or WHO names the tool with whoever asked for it. */
export function sourceText(via: ChangeVia): string {
  return via.source === '' || via.initiatedBy !== '' ? '' : `${toolName(via.tool)}: ${viaText(via)}`
}

/** The VIA of a change: `shop@9f3c2e1` of a GitOps tool, else the field manager, else the tool; of Kubernetes' own parts, which WHO names, none. */
export function viaText(via: ChangeVia): string {
  const { source, revision, manager, tool } = via
  // The API server writes `unknown` where a client did not say what it is.
  if (source === '') return tool === 'kubernetes' ? '' : (manager === 'unknown' ? '' : manager) || tool
  const name = source.slice(source.lastIndexOf('/') + 1).replace(/^\S+ /, '')
  return revision === '' ? name : `${name}@${shortRevision(revision)}`
}

/** Seven digits of a commit (`main@sha1:9f3c2e1…` of Flux too); all else as it is. */
export function shortRevision(revision: string): string {
  const commit = /(?:^|[:/@])([0-9a-f]{40}|[0-9a-f]{64})$/.exec(revision)?.[1]
  return commit === undefined ? revision : commit.slice(0, 7)
}
