import type { KubernetesObject } from '../wire/admission-review.ts'

/** One operation of a GitOps tool's object: a sync, a reconciliation, a release. */
export interface GitOpsOperation {
  /** A commit, `main@sha1:…` as Flux writes it, or a chart's version; several sources of one Application are joined by commas. Empty where not told. */
  readonly revision: string
  /** Who started it; empty of an automatic one, and of Flux, which keeps no names. */
  readonly initiatedBy: string
  /** The tool started it by itself. */
  readonly automated: boolean
  /** Epoch milliseconds, whole seconds; undefined where not told. */
  readonly startedAt: number | undefined
  /** Epoch milliseconds, whole seconds; undefined while it lasts, and where not told. */
  readonly endedAt: number | undefined
}

// All times are whole seconds, and of another machine's clock than that of a change.
const SLACK_MS = 2000

/**
 * The last operation of an Argo CD Application, a Flux Kustomization or a Flux HelmRelease; undefined of other kinds
 * and where none ran yet. An earlier change is not its work: see `gitOpsOperationAt`.
 */
export function readGitOpsOperation(object: KubernetesObject): GitOpsOperation | undefined {
  return operationsOf(object)[0]
}

/**
 * The operation that made a change at this time (epoch milliseconds), as far back as the object's status remembers;
 * undefined where none is known to have run then.
 */
export function gitOpsOperationAt(object: KubernetesObject, time: number): GitOpsOperation | undefined {
  return operationsOf(object)
    .filter(
      ({ startedAt, endedAt }) =>
        startedAt !== undefined &&
        startedAt - SLACK_MS <= time &&
        (endedAt === undefined || time <= endedAt + SLACK_MS),
    )
    .reduce<GitOpsOperation | undefined>(
      (latest, next) => ((next.startedAt ?? 0) > (latest?.startedAt ?? -1) ? next : latest),
      undefined,
    )
}

/**
 * The newest first. Fields by argo-cd pkg/apis/application/v1alpha1/types.go (OperationState, OperationInitiator,
 * RevisionHistory), kustomize-controller api/v1/kustomization_types.go with fluxcd/pkg apis/meta (Snapshot), and
 * helm-controller api/v2 (Snapshot).
 */
function operationsOf(object: KubernetesObject): readonly GitOpsOperation[] {
  const status = record(object['status'])
  const group = object.apiVersion?.split('/', 1)[0]
  switch (`${group}/${object.kind}`) {
    case 'argoproj.io/Application':
      return argoOperations(status)
    case 'kustomize.toolkit.fluxcd.io/Kustomization':
      return kustomizations(status)
    case 'helm.toolkit.fluxcd.io/HelmRelease':
      return helmReleases(status)
    default:
      return []
  }
}

function argoOperations(status: Fields): readonly GitOpsOperation[] {
  const state = record(status['operationState'])
  const operation = record(state['operation'])
  const asked = record(operation['sync'])
  const last = {
    revision: revisionOf(state['syncResult'], asked, status['sync']),
    ...initiatorOf(operation['initiatedBy']),
    startedAt: timeOf(state['startedAt']),
    endedAt: timeOf(state['finishedAt']),
  }
  const earlier = list(status['history'])
    .map((entry) => ({
      revision: revisionOf(entry),
      ...initiatorOf(record(entry)['initiatedBy']),
      startedAt: timeOf(record(entry)['deployStartedAt']),
      endedAt: timeOf(record(entry)['deployedAt']),
    }))
    .toReversed()
  return [last, ...earlier].filter(isTold)
}

/** Argo CD has one revision, or one for each source of an Application with several. */
function revisionOf(...places: readonly unknown[]): string {
  return firstText(
    places.map(record).flatMap(({ revision, revisions }) => [revision, list(revisions).map(text).join(', ')]),
  )
}

function initiatorOf(value: unknown): Pick<GitOpsOperation, 'initiatedBy' | 'automated'> {
  const { username, automated } = record(value)
  return { initiatedBy: text(username), automated: automated === true }
}

/** Flux reconciles by itself; who asks for it by `flux reconcile` leaves a time and no name. */
const BY_FLUX = { initiatedBy: '', automated: true } as const

/** A snapshot's times are those of the ends of its first and its last reconciliation (meta.History.Upsert). */
function kustomizations(status: Fields): readonly GitOpsOperation[] {
  const snapshots = list(status['history']).map((entry) => {
    const { metadata, firstReconciled, lastReconciled, lastReconciledDuration } = record(entry)
    const ended = timeOf(firstReconciled)
    return {
      revision: text(record(metadata)['revision']),
      ...BY_FLUX,
      startedAt: ended === undefined ? undefined : ended - goDuration(text(lastReconciledDuration)),
      endedAt: timeOf(lastReconciled),
    }
  })
  if (snapshots.some(isTold)) return snapshots.filter(isTold)
  const revision = firstText([status['lastAppliedRevision'], status['lastAttemptedRevision']])
  return [{ revision, ...BY_FLUX, startedAt: undefined, endedAt: undefined }].filter(isTold)
}

/** Each release lasts until the next, since drift is corrected to it. */
function helmReleases(status: Fields): readonly GitOpsOperation[] {
  const releases = list(status['history']).map((entry) => ({
    revision: text(record(entry)['chartVersion']),
    startedAt: timeOf(record(entry)['lastDeployed']),
  }))
  const told = releases.map((release, index) => ({
    ...release,
    ...BY_FLUX,
    endedAt: releases[index - 1]?.startedAt,
  }))
  if (told.some(isTold)) return told.filter(isTold)
  const revision = firstText([status['lastAppliedRevision'], status['lastAttemptedRevision']])
  return [{ revision, ...BY_FLUX, startedAt: undefined, endedAt: undefined }].filter(isTold)
}

function isTold({ revision, startedAt }: GitOpsOperation): boolean {
  return revision !== '' || startedAt !== undefined
}

/** Milliseconds of what Go writes for a duration, in hours, minutes and seconds; 0 where it cannot be read. */
function goDuration(duration: string): number {
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  let total = 0
  for (const [, number, unit] of duration.matchAll(/([\d.]+)(ms|h|m|s)/g)) {
    total += Number(number) * units[unit as keyof typeof units]
  }
  return Number.isNaN(total) ? 0 : total
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

function timeOf(value: unknown): number | undefined {
  const time = Date.parse(text(value))
  return Number.isNaN(time) ? undefined : time
}
