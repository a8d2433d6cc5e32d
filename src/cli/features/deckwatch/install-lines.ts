import { describeRights, type AccountRights, type DeployValues } from '../../../../server/deploy/index.ts'
import { plural } from '../../../core/lib/text.ts'
import { KINDS, spokenName } from './kinds.ts'
import type { InstallPlan, PlannedObject } from './plan-install.ts'

/** A statement with what it is about, for a screen. */
export interface IntroLine {
  readonly label: string
  readonly text: string
}

/** What a screen says of an installation before it begins. */
export interface Intro {
  readonly clusterName: string
  /** Components that come with later versions. */
  readonly later: readonly string[]
  /** Each right with its reason, and what whoever took a pod over could do. */
  readonly inFull: boolean
}

/** What an installation brings, where, and which rights its accounts get, for the person who decides about it. */
export function introLines(
  { values, warnings, objects, obsolete, changes }: InstallPlan,
  { clusterName, later, inFull }: Intro,
): readonly IntroLine[] {
  const { namespace, components, image } = values
  const isUpgrade = objects.some(({ ref, before }) => ref.kind === KINDS.Deployment && before)
  return [
    {
      label: isUpgrade ? 'Upgrade' : 'Install',
      text: `${image} into namespace ${namespace} of ${clusterName}`,
    },
    { label: 'Components', text: `${components.join(', ')}. In later versions: ${later.join(', ')}` },
    { label: 'Storage', text: storageText(values) },
    ...(inFull ? describeRights(values).flatMap(rightsInFull) : rightsInShort(values)),
    ...(changes.length === 0 ? [] : [{ label: 'Changes', text: changes.join(', ') }]),
    ...(obsolete.length === 0
      ? []
      : [{ label: 'Removes', text: `${obsolete.map(spokenName).join(', ')} of the earlier installation` }]),
    ...warnings.map((warning) => ({ label: 'Warning', text: warning })),
  ]
}

function rightsInShort(values: DeployValues): readonly IntroLine[] {
  return [
    ...describeRights(values).map(({ account, rights }) => ({
      label: 'Rights',
      text: `of ServiceAccount ${account}: ${rights.map(({ what }) => what).join('; ')}`,
    })),
    { label: '', text: 'What each is for, and what whoever took the pod over could do: --dry-run' },
  ]
}

function rightsInFull({ account, rights, takenOver }: AccountRights): readonly IntroLine[] {
  return [
    { label: 'Rights', text: `of ServiceAccount ${account}:` },
    ...rights.map(({ what, why }) => ({ label: '', text: `- ${what}: ${why}` })),
    { label: '', text: `Whoever took its pod over could ${takenOver.join('; ')}` },
  ]
}

/** What a dry run found out about one object, in kubectl's words. */
export function dryRunLine({ ref, expected }: PlannedObject, namespace: string): string {
  if (expected !== undefined) return `${spokenName(ref)} ${expected} (server dry run)`
  return `${spokenName(ref)} created (not tried: ${ref.namespace === namespace ? `namespace ${namespace}` : 'its role'} is not there yet)`
}

/** `14 objects applied in 21 s; images.deckwatch.dev answers`. */
export function closingLine(objects: number, resources: readonly string[], milliseconds: number): string {
  const served =
    resources.length > 1
      ? `${resources[0] ?? ''}.deckwatch.dev and ${resources.length - 1} more answer`
      : `${resources[0] ?? ''}.deckwatch.dev answers`
  return `${plural(objects, 'object')} applied in ${Math.max(1, Math.round(milliseconds / 1000))} s; ${served}`
}

function storageText({ storage: { type, size, storageClass, path, node } }: DeployValues): string {
  switch (type) {
    case 'pvc':
      return `${size} of ${storageClass === '' ? 'the default StorageClass' : `StorageClass ${storageClass}`}`
    case 'hostPath':
      return `folder ${path} on ${node === '' ? 'whichever node the pod runs on' : `node ${node}`}`
    case 'emptyDir':
      return 'none that outlives the pod'
  }
}
