import { NAMES } from '../../../../server/deploy/index.ts'
import type { ComponentStatus } from '../../../core/wire/companion-status.ts'
import type { PodReport, Problem } from './companion-report.ts'
import { EMERGENCY_EXIT, helmUpgrade } from './installation.ts'
import { ENDING } from './pod-trouble.ts'
import type { StatusFacts } from './read-status.ts'
import { recordingProblems, recordingWarnings } from './recording-problems.ts'
import { adviceFor } from './reach.ts'

const DAY = 24 * 60 * 60 * 1000
/** A renewal may wait for its turn, but not so long. */
const RENEWAL_GRACE_MS = DAY
const FULL_SHARE = 0.9

/** Judges what was found: every trouble with its mend, a cause before its effects; `now` in epoch milliseconds. */
export function findProblems(facts: StatusFacts, now: number): readonly Problem[] {
  const absent = absence(facts)
  if (absent) return [absent, ...heldNamespaces(facts)]
  return [
    ...deploymentProblems(facts),
    ...facts.pods.flatMap((pod) => podProblems(pod, facts, now)),
    ...apiProblems(facts),
    ...heldNamespaces(facts),
    ...versionProblems(facts),
  ]
}

/** What went wrong lately and is over, each with a command that shows more; `now` in epoch milliseconds. */
export function findWarnings({ pods, namespace, helm }: StatusFacts, now: number): readonly Problem[] {
  const place = { namespace, reinstall: sameAgain(pods, helm), now, pods }
  return pods.flatMap((pod) => recordingWarnings(pod, place))
}

/** Nothing is there, or nothing but a registration. */
function absence({ api, deployments, home, unseen, namespace }: StatusFacts): Problem | undefined {
  const noWorkload = deployments.length === 0 && !unseen.some((what) => what.startsWith('deployments'))
  if (api.registered !== true) {
    const noneSeen = deployments.length === 0 && api.answers !== true
    return noneSeen && (api.registered === false || isUnknownGroup(api.cause))
      ? { about: 'companion', text: 'there is none in this cluster', mend: 'kubectl deckwatch install' }
      : undefined
  }
  if (api.answers === true || (home !== false && !noWorkload)) return undefined
  const what = home === false ? `service ${NAMES.companion} in namespace ${namespace}` : 'every Deployment'
  return {
    about: 'api',
    text: `its registration is left over: ${what} is gone. Until it is removed, the cluster can delete no namespace`,
    mend: EMERGENCY_EXIT,
  }
}

function isUnknownGroup(cause: string | undefined): boolean {
  return cause?.startsWith('404 ') === true
}

function apiProblems({ api, deployments, helm, namespace }: StatusFacts): readonly Problem[] {
  if (api.registered === false && deployments.length > 0) {
    const text = 'the pods are there, but the API group is not registered'
    return [{ about: 'api', text, ...reinstall(helm) }]
  }
  if (api.answers !== false) return []
  const reason = api.reason === undefined ? '' : ` (APIService: ${api.reason})`
  const { text, mend } = adviceFor(`${api.cause ?? ''}${reason}`, namespace)
  return [
    {
      about: 'api',
      text: `does not answer: ${api.cause ?? ''}${reason}. ${text}`,
      mend,
    },
  ]
}

function heldNamespaces({ api: { heldNamespaces: held, answers } }: StatusFacts): readonly Problem[] {
  // They go by themselves once it answers again.
  if (held.length === 0 || answers === true) return []
  const names = held.slice(0, 3).join(', ') + (held.length > 3 ? ` and ${held.length - 3} more` : '')
  return [
    {
      about: 'namespaces',
      text: `${names} cannot be deleted while the API group does not answer`,
      mend: EMERGENCY_EXIT,
    },
  ]
}

function deploymentProblems({
  deployments,
  troubles,
  namespace,
  api,
  unseen,
}: StatusFacts): readonly Problem[] {
  const isWhole = deployments.every(({ wanted, ready }) => ready >= wanted)
  const found: Problem[] = troubles
    // An old pod that takes its time is no trouble where the new ones are there.
    .filter(({ why }) => why !== ENDING || !isWhole)
    .map(({ what, why, mend }) => ({
      about: what,
      text: why,
      mend: mend ?? `kubectl -n ${namespace} describe ${what}`,
    }))
  for (const { name, wanted, ready } of deployments) {
    if (wanted === 0) {
      found.push({
        about: `deployment.apps/${name}`,
        text: 'is scaled to 0',
        mend: `kubectl -n ${namespace} scale deployment ${name} --replicas 1`,
      })
    } else if (ready < wanted && troubles.length === 0) {
      found.push({
        about: `deployment.apps/${name}`,
        text: `${ready} of ${wanted} pods are ready`,
        mend: `kubectl -n ${namespace} rollout status deployment ${name}`,
      })
    }
  }
  const maySee = !unseen.some((what) => what.startsWith('deployments'))
  if (deployments.length === 0 && maySee && api.answers === true) {
    found.push({ about: 'companion', text: `answers, but has no Deployment in namespace ${namespace}` })
  }
  return found
}

function podProblems(
  pod: PodReport,
  { namespace, deployments, helm, pods }: StatusFacts,
  now: number,
): readonly Problem[] {
  const { status, name } = pod
  if (!status) return []
  const restart = `kubectl -n ${namespace} delete pod ${name}`
  const problems: Problem[] = []
  for (const component of status.components) {
    const problem = componentProblem(component)
    if (problem) problems.push({ ...problem, mend: `kubectl -n ${namespace} logs ${name} --tail 50` })
  }
  problems.push(...recordingProblems(pod, { namespace, reinstall: sameAgain(pods, helm), now, pods }))
  for (const { name: certificate, notAfter, renewAt } of status.certificates) {
    const about = `certificates`
    if (Date.parse(notAfter) <= now) {
      problems.push({ about, text: `${certificate} of pod ${name} ended on ${day(notAfter)}`, mend: restart })
    } else if (Date.parse(renewAt) + RENEWAL_GRACE_MS < now) {
      const text = `${certificate} of pod ${name} was due for renewal on ${day(renewAt)}, and ends on ${day(notAfter)}`
      problems.push({ about, text, mend: restart })
    }
  }
  const { sizeBytes = 0, freeBytes = 0 } = status.volume ?? {}
  if (sizeBytes > 0 && freeBytes < sizeBytes * (1 - FULL_SHARE)) {
    const percent = Math.round((1 - freeBytes / sizeBytes) * 100)
    const isVolume = deployments.some(({ storage }) => storage === 'pvc')
    problems.push({
      about: 'store',
      text: `the ${isVolume ? 'volume of' : `disk of node ${pod.node ?? ''} under`} pod ${name} is ${percent} % full`,
      mend: isVolume
        ? `kubectl -n ${namespace} edit persistentvolumeclaim ${NAMES.data}`
        : `kubectl describe node ${pod.node ?? ''}`,
    })
  }
  return problems
}

function componentProblem({ name, ready, alive, reason }: ComponentStatus): Problem | undefined {
  if (!alive) return { about: name, text: `does not get on: ${reason}` }
  if (!ready) return { about: name, text: `is not ready: ${reason}` }
  return undefined
}

/** One minor version apart is fine. */
function versionProblems({ versions, helm }: StatusFacts): readonly Problem[] {
  const cli = minorOf(versions.cli)
  if (!cli) return []
  return versions.companion.flatMap((version) => {
    const companion = minorOf(version)
    if (!companion) return []
    const apart = cli.major === companion.major ? Math.abs(cli.minor - companion.minor) : Infinity
    if (apart <= 1) return []
    const older =
      companion.major < cli.major || (companion.major === cli.major && companion.minor < cli.minor)
    return [
      {
        about: 'versions',
        text: `the companion is ${version} and this command ${versions.cli}: one minor version apart is supported`,
        ...(older ? reinstall(helm) : { mend: 'kubectl krew upgrade deckwatch' }),
      },
    ]
  })
}

function reinstall(helm: StatusFacts['helm']): { readonly mend: string } {
  return { mend: helm ? helmUpgrade(helm) : 'kubectl deckwatch install' }
}

/** The command that installs the same components again; other values are for the user to give as before. */
function sameAgain(pods: readonly PodReport[], helm: StatusFacts['helm']): string {
  if (helm) return helmUpgrade(helm)
  const components = pods.flatMap(({ status }) => status?.components ?? []).map(({ name }) => name)
  const rooms = [...new Set(components)].filter((name) => name !== 'api')
  return `kubectl deckwatch install --components ${rooms.join(',')}`
}

function minorOf(version: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version) ?? []
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}

function day(time: string): string {
  return time.slice(0, 10)
}
