import type { KubernetesObject } from '../wire/admission-review.ts'

/** The last operation of a GitOps tool's object, by its own status; empty texts where it does not say. */
export interface GitOpsOperation {
  /** A commit, `main@sha1:…` as Flux writes it, or a chart's version; several sources of one Application are joined by commas. */
  readonly revision: string
  /** Who started it; of an automatic one, and of Flux, nobody is known. */
  readonly initiatedBy: string
  /** The tool started it by itself. */
  readonly automated: boolean
  /** RFC 3339 UTC: when it began and ended; empty where its status has no such time. */
  readonly startedAt: string
  readonly finishedAt: string
}

/**
 * What the last operation of an Argo CD Application, a Flux Kustomization or a Flux HelmRelease was; undefined for
 * other kinds and where none ran yet. It is the *last* one: a change before `startedAt` is not its work. Fields by
 * argo-cd pkg/apis/application/v1alpha1/types.go (OperationState, OperationInitiator, SyncOperationResult),
 * kustomize-controller api/v1/kustomization_types.go and helm-controller api/v2/helmrelease_types.go.
 */
export function readGitOpsOperation(object: KubernetesObject): GitOpsOperation | undefined {
  const status = record(object['status'])
  const group = object.apiVersion?.split('/', 1)[0]
  switch (`${group}/${object.kind}`) {
    case 'argoproj.io/Application':
      return argoOperation(status)
    case 'kustomize.toolkit.fluxcd.io/Kustomization': {
      const latest = record(list(status['history'])[0])
      const revisions = [status['lastAppliedRevision'], status['lastAttemptedRevision']]
      return fluxOperation(revisions, latest['lastReconciled'])
    }
    case 'helm.toolkit.fluxcd.io/HelmRelease': {
      const latest = record(list(status['history'])[0])
      const revisions = [
        latest['chartVersion'],
        status['lastAppliedRevision'],
        status['lastAttemptedRevision'],
      ]
      return fluxOperation(revisions, latest['lastDeployed'])
    }
    default:
      return undefined
  }
}

function argoOperation(status: Fields): GitOpsOperation | undefined {
  const state = record(status['operationState'])
  const operation = record(state['operation'])
  const result = record(state['syncResult'])
  const asked = record(operation['sync'])
  const revision = firstText([
    result['revision'],
    joined(result['revisions']),
    asked['revision'],
    joined(asked['revisions']),
    record(status['sync'])['revision'],
  ])
  const startedAt = text(state['startedAt'])
  if (revision === '' && startedAt === '') return undefined
  const initiator = record(operation['initiatedBy'])
  return {
    revision,
    initiatedBy: text(initiator['username']),
    automated: initiator['automated'] === true,
    startedAt,
    finishedAt: text(state['finishedAt']),
  }
}

/** Flux reconciles by itself; who asks for it by `flux reconcile` leaves a time and no name. */
function fluxOperation(revisions: readonly unknown[], finishedAt: unknown): GitOpsOperation | undefined {
  const revision = firstText(revisions)
  if (revision === '') return undefined
  return { revision, initiatedBy: '', automated: true, startedAt: '', finishedAt: text(finishedAt) }
}

type Fields = Readonly<Record<string, unknown>>

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function firstText(values: readonly unknown[]): string {
  return values.map(text).find((value) => value !== '') ?? ''
}

function joined(value: unknown): string {
  return list(value).map(text).filter(Boolean).join(', ')
}
