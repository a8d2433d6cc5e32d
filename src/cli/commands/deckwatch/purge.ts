import { randomUUID } from 'node:crypto'
import { Args } from '@oclif/core'
import { DEFAULT_VALUES, NAMES } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import type { PurgeTarget } from '../../../core/wire/purge.ts'
import { API_SERVICE, servedBy } from '../../features/deckwatch/installation.ts'
import { KINDS } from '../../features/deckwatch/kinds.ts'
import type { ClusterPort } from '../../features/deckwatch/ports.ts'
import {
  checkField,
  heldLine,
  isRedactedBy,
  purgedLines,
  readForRequest,
  redactEntry,
  requestPurge,
  stillHolds,
} from '../../features/deckwatch/purge.ts'
import { ApiTypes } from '../../shell/api-types.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { changesPorts } from '../blame/changes-ports.ts'
import { objectPorts } from '../blame/object-ports.ts'
import { findTargets, objectName, type Target } from '../blame/targets.ts'
import { withCluster, type ClusterSession } from './cluster-session.ts'
import { confirm, requireTerminal } from './confirm.ts'
import { purgeFlags } from './flags.ts'

/** `kubectl deckwatch purge TYPE/NAME`: takes values that should never have been kept out of the recorded history. */
export class PurgeCommand extends DeckCommand {
  static override readonly id = 'purge'
  static override readonly summary = 'Take values out of the recorded history'
  static override readonly description =
    "Removes the values of one field of one object, or its whole history, from all that the companion's audit-log keeps: changes, the last state it knows, the journal, and copies of its files that were set aside. Who changed which field when stays, with --field. Needs the right to get and patch the ConfigMap deckwatch-purge in the companion's namespace. Backups of the volume, and what was exported, are not touched."
  static override readonly usage = 'purge TYPE/NAME [flags]'
  static override readonly args = {
    object: Args.string({ description: 'the object: configmap/settings', ignoreStdin: true }),
  }
  static override readonly flags = purgeFlags
  static override readonly examples = [
    {
      description: 'The values of one field, in all recorded changes',
      command: 'kubectl deckwatch purge configmap/settings -n shop --field data.token',
    },
    {
      description: 'The whole history of an object',
      command: 'kubectl deckwatch purge configmap/settings -n shop',
    },
  ]

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(PurgeCommand)
    const { object } = args
    if (!object) {
      throw new DeckError('USAGE', 'TYPE/NAME is missing: of which object?', {
        hint: 'As in: kubectl deckwatch purge configmap/settings -n shop --field data.token',
      })
    }
    const path = flags.field === undefined ? undefined : checkField(flags.field)
    // Whoever cannot be asked is told before anything else is.
    if (!flags.yes) await requireTerminal(this.session, 'Give --yes.')
    await withCluster(flags, this.session, async (session) => {
      const { cluster, transport, connection, progress } = session
      const { signal, clock, environment, stdout } = this.session
      progress.update('looking at the history')
      const types = new ApiTypes({ transport, connection, environment, clock, signal })
      const place = { namespace: flags.namespace ?? connection.namespace, allNamespaces: false }
      const [found, more] = await findTargets([object], types, place)
      const name = found?.names?.[0]
      if (!found || name === undefined || more) {
        throw new DeckError('USAGE', `${JSON.stringify(object)} names no object`, {
          hint: 'As in: kubectl deckwatch purge configmap/settings',
        })
      }
      const target: PurgeTarget = {
        group: found.type.group,
        resource: found.type.resource,
        namespace: found.namespace ?? '',
        name,
        ...(path === undefined ? {} : { path }),
      }
      const namespace = await companionNamespace(cluster, signal)
      const { purgePorts } = await import('./purge-ports.ts')
      const ports = purgePorts(transport, namespace, connection)
      const state = await readForRequest(ports, { namespace, now: clock.now() }, signal)
      const changes = await this.#changes(session, target)
      const spoken = visible(objectName(found.type, name))
      // Of Secrets no value is kept in any case.
      const mayComeBack = path !== undefined && !(target.group === '' && target.resource === 'secrets')
      const today = mayComeBack || changes.length === 0 ? await this.#object(session, found, name) : undefined
      if (changes.length === 0 && !today && !flags.force) throw nothingKnown(spoken, target)
      const isBack =
        mayComeBack && today !== undefined && (await this.#comesBack(session, today, target, namespace))
      progress.clear()
      await stdout.write(`${heldLine(spoken, changes, path)}\n`)
      if (isBack && path !== undefined) {
        if (!flags.force) throw comesBack(spoken, target, path)
        await this.session.stderr.write(
          `${spoken} still has ${visible(path)}: its next change brings the value back\n`,
        )
      }
      if (!flags.yes)
        await confirm(this.session, path === undefined ? 'Purge its history?' : 'Purge these values?')
      progress.update('waiting for the companion')
      const purged = await requestPurge({ ports, clock }, { id: randomUUID(), state, target }, signal)
      progress.clear()
      await stdout.write(
        purgedLines(purged)
          .map((line) => `${line}\n`)
          .join(''),
      )
    })
  }

  async #changes(
    { transport, connection }: ClusterSession,
    { group, resource, namespace, name }: PurgeTarget,
  ): Promise<readonly Change[]> {
    const { clock, signal } = this.session
    const equal = (field: string, value: string) => ({ field, operator: '=' as const, value })
    const query = {
      namespace: namespace === '' ? undefined : namespace,
      fields: [
        equal('object.group', group),
        equal('object.resource', resource),
        equal('object.name', name),
        // Whoever selects by state is told what had no effect too.
        { field: 'state', operator: '!=' as const, value: 'pending' },
      ],
      since: undefined,
      until: undefined,
      perObject: undefined,
    }
    const changes: Change[] = []
    for await (const page of changesPorts({ transport, connection, clock }).listChanges(query, signal))
      changes.push(...page.changes)
    return changes
  }

  /** The object as it is today; undefined where there is none. */
  async #object(
    { transport, connection }: ClusterSession,
    { type, namespace }: Target,
    name: string,
  ): Promise<KubernetesObject | undefined> {
    const { clock, signal } = this.session
    try {
      return await objectPorts({ transport, connection, clock }).getObject(type, namespace, name, signal)
    } catch (error) {
      if (error instanceof DeckError && error.code === 'KUBE_NOT_FOUND') return undefined
      throw error
    }
  }

  /** Whether the object as it is today would bring the value back with its next change. */
  async #comesBack(
    { cluster }: ClusterSession,
    object: KubernetesObject,
    target: PurgeTarget,
    home: string,
  ): Promise<boolean> {
    const { path } = target
    if (path === undefined || !stillHolds(object, path)) return false
    const { signal } = this.session
    const config = await readable(
      cluster.get({ kind: KINDS.ConfigMap, namespace: home, name: NAMES.config }, signal),
    )
    const data = config?.['data'] as Readonly<Record<string, string>> | undefined
    return !isRedactedBy(data?.['config.yaml'] ?? '', target, path)
  }
}

function nothingKnown(spoken: string, { namespace }: PurgeTarget): DeckError {
  const where = namespace === '' ? '' : ` in namespace ${visible(namespace)}`
  return new DeckError(
    'PURGE_REFUSED',
    `nothing was purged: there is no ${spoken}${where}, and no recorded change of one that you may see`,
    {
      hint: 'Is the name right, and the namespace (-n)? To have the companion look for it all the same: --force',
    },
  )
}

function comesBack(spoken: string, target: PurgeTarget, path: string): DeckError {
  return new DeckError(
    'PURGE_REFUSED',
    `nothing was purged: ${spoken} still has ${visible(path)}, and its next change would bring the value back`,
    {
      hint: `Let the companion redact it first: kubectl deckwatch install --set 'auditLog.redact={${redactEntry(target, path)}}' (with the entries that are set already), or take the value out of the object. To purge all the same: --force`,
    },
  )
}

/** Where the APIService says, else the default: not everybody who may purge may read it. */
async function companionNamespace(cluster: ClusterPort, signal: AbortSignal): Promise<string> {
  return servedBy(await readable(cluster.get(API_SERVICE, signal)))?.namespace ?? DEFAULT_VALUES.namespace
}

/** Undefined where we may not read it. */
async function readable<T>(asked: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof DeckError && error.code === 'KUBE_FORBIDDEN') return undefined
    throw error
  }
}
