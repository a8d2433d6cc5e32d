import { formatBytes } from '../../../core/lib/bytes.ts'
import type { CertificateStatus, ComponentStatus } from '../../../core/wire/companion-status.ts'
import type { CompanionReport, Problem, RightReport } from './companion-report.ts'
import { recordingText, webhookText } from './recording-lines.ts'
import { EMERGENCY_WEBHOOK_EXIT } from './recording.ts'

/** One line of the screen: what it is about, and what there is to say. */
export interface StatusLine {
  readonly label: string
  readonly text: string
  /** `bad`: it is to be mended now; `past`: it went wrong, and is over. */
  readonly level: 'well' | 'past' | 'bad'
  /** A command for a line of its own: one that helps, or shows what was. */
  readonly mend?: string
}

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

/** The report for people: what there is, then each trouble with its mend; `now` in epoch milliseconds. */
export function statusLines(report: CompanionReport, now: number): readonly StatusLine[] {
  const line = (label: string, text: string | undefined): readonly StatusLine[] =>
    text === undefined || text === '' ? [] : [{ label, text, level: 'well' }]
  const webhook = webhookText(report.pods, now)
  return [
    ...line('companion', companion(report)),
    ...line('api', api(report)),
    ...components(report).flatMap(({ name, ready, reason }) =>
      line(name, `${ready ? 'ready' : 'not ready'}${reason === '' ? '' : `: ${reason}`}`),
    ),
    ...line('recording', recordingText(report.pods, now)),
    ...line('webhook', webhook),
    // A line of its own, so that no screen breaks it.
    ...line('emergency exit', webhook && EMERGENCY_WEBHOOK_EXIT),
    ...line('store', store(report)),
    ...line('certificates', certificates(report, now)),
    ...line('you', rights(report.rights)),
    ...line('not seen', report.unseen.join('; ')),
    ...report.warnings.map((warning) => problemLine(warning, 'past')),
    ...report.problems.map((problem) => problemLine(problem, 'bad')),
  ]
}

function problemLine({ about, text, mend }: Problem, level: StatusLine['level']): StatusLine {
  return { label: about, text, level, ...(mend === undefined ? {} : { mend }) }
}

function companion({ deployments, versions, namespace }: CompanionReport): string {
  const ready = deployments.reduce((sum, deployment) => sum + deployment.ready, 0)
  const wanted = deployments.reduce((sum, deployment) => sum + deployment.wanted, 0)
  return [
    ...(deployments.length > 0 ? [`${ready}/${wanted} in ${namespace}`] : []),
    `${versions.companion.join(', ') || (deployments.length > 0 ? 'version unknown' : 'not seen')} (CLI ${versions.cli})`,
    ...(versions.kubernetes === undefined ? [] : [`Kubernetes ${versions.kubernetes}`]),
  ].join('   ')
}

function api({ api: { answers, milliseconds, resources } }: CompanionReport): string | undefined {
  if (answers !== true) return undefined
  return `${resources.join(', ')} ${resources.length === 1 ? 'answers' : 'answer'} (${milliseconds ?? 0} ms)`
}

/** Each component once, as the pod says that is worst off. */
function components({ pods }: CompanionReport): readonly ComponentStatus[] {
  const worst = new Map<string, ComponentStatus>()
  for (const component of pods.flatMap(({ status }) => status?.components ?? [])) {
    if (component.name === 'api' && component.ready) continue
    if (worst.get(component.name)?.ready !== false) worst.set(component.name, component)
  }
  return [...worst.values()]
}

function store({ pods }: CompanionReport): string | undefined {
  const parts = pods.flatMap(({ status }) => {
    const stores = (status?.components ?? []).flatMap(({ name, store: one }) =>
      one ? [{ name, ...one }] : [],
    )
    return [
      ...stores.map(({ name, usedBytes, limitBytes, oldest, bytesPerDay = 0 }) => {
        const whose = stores.length > 1 ? `${name} ` : ''
        const since = oldest === undefined ? '' : ` since ${oldest.slice(0, 10)}`
        const left = bytesPerDay > 0 ? Math.max(0, limitBytes - usedBytes) / bytesPerDay : undefined
        const rate = left === undefined ? '' : `, ${span(left * DAY)} left at this rate`
        return `${whose}${formatBytes(usedBytes)} of ${formatBytes(limitBytes)}${since}${rate}`
      }),
      ...(status?.volume
        ? [`volume: ${formatBytes(status.volume.freeBytes)} of ${formatBytes(status.volume.sizeBytes)} free`]
        : []),
    ]
  })
  return parts.join('; ')
}

/** Leaves with their age, authorities together: each by what is renewed soonest. */
function certificates({ pods }: CompanionReport, now: number): string | undefined {
  const soonest = new Map<string, CertificateStatus>()
  for (const certificate of pods.flatMap(({ status }) => status?.certificates ?? [])) {
    const name = certificate.name.endsWith('authority') ? 'authorities' : certificate.name
    const known = soonest.get(name)
    if (!known || certificate.renewAt < known.renewAt) soonest.set(name, certificate)
  }
  return [...soonest]
    .toSorted(([, one], [, other]) => Date.parse(one.renewAt) - Date.parse(other.renewAt))
    .map(([name, { notBefore, renewAt }]) => {
      const left = span(Date.parse(renewAt) - now)
      if (name === 'authorities') return `authorities renew in ${left}`
      const age = now - Date.parse(notBefore)
      // A certificate begins an hour before it is made, for clocks that are late.
      return `${name} ${age < 2 * HOUR ? 'new' : `${span(age)} old`}, renews in ${left}`
    })
    .join('; ')
}

/** What the caller may see: of images both rights are asked for, ours and that on the pods behind. */
function rights(all: readonly RightReport[]): string {
  const changes = all.filter(({ resource }) => resource.startsWith('changes.'))
  const images = all.filter((right) => !changes.includes(right))
  return [
    ...(images.length === 0 ? [] : [rightsText('images', images)]),
    ...(changes.length === 0 ? [] : [rightsText('changes', changes)]),
  ].join('; ')
}

function rightsText(what: string, all: readonly RightReport[]): string {
  const within = (namespace: string | undefined): readonly RightReport[] =>
    all.filter((right) => right.namespace === namespace)
  const everywhere = within(undefined)
  if (everywhere.every(({ allowed }) => allowed)) return `may list ${what} in all namespaces`
  const namespace = all.find((right) => right.namespace !== undefined)?.namespace
  const here = within(namespace)
  if (here.every(({ allowed }) => allowed)) return `may list ${what} in namespace ${namespace ?? ''}`
  const missing = here.filter(({ allowed }) => !allowed).map(({ resource }) => resource)
  return `may not list ${what} in namespace ${namespace ?? ''}: the right to list ${missing.join(' and ')} is missing`
}

/** `58 d`, `9 y`, `3 h`: one unit, as ages are read. */
function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms >= 2 * 365 * DAY) return `${Math.floor(ms / (365 * DAY))} y`
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} d`
  if (ms >= 2 * HOUR) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / 60_000)} min`
}
