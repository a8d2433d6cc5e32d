import { connect } from '../../../core/kube/connect.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { Change } from '../../../core/wire/change.ts'
import { planUndo } from '../../features/blame/undo.ts'
import type { Session } from '../../shell/session.ts'
import { VERSION } from '../../shell/version.ts'
import { confirm, requireTerminal } from '../deckwatch/confirm.ts'
import { findChangesWay, type ChangesWay } from './changes-way.ts'
import { blameConnectionOverrides } from './connection-overrides.ts'
import { objectPorts } from './object-ports.ts'
import { UndoReport, type UndoFlags } from './undo-report.ts'
import { requestUndo, type UndoTarget, type WritingPlan } from './undo-request.ts'

/** Answers `kubectl blame undo CHANGE`. */
export async function runUndo(
  flags: UndoFlags & Readonly<Record<string, unknown>>,
  name: string,
  session: Session,
): Promise<void> {
  if (flags.apply && flags.output !== undefined && flags.output !== 'diff') {
    throw new DeckError('USAGE', `-o ${flags.output} prints the patch, --apply writes it: give one of them`)
  }
  if ((flags.yes || flags.force) && !flags.apply) {
    throw new DeckError('USAGE', `--${flags.yes ? 'yes' : 'force'} only has a meaning with --apply`)
  }
  // Whoever cannot be asked is told before anything else is.
  if (flags.apply && !flags.yes) await requireTerminal(session, 'Give --yes.')
  const connection = await loadConnection(blameConnectionOverrides(flags))
  const transport = connect(connection, { userAgent: `deckwatch/${VERSION}` })
  const ended = new AbortController()
  const signal = AbortSignal.any([session.signal, ended.signal])
  try {
    const { namespace } = connection
    const way = await findChangesWay({ transport, connection, session, signal, mode: 'require', namespace })
    if (!way) throw new TypeError('a companion is found where it is required')
    const change = await findChange(way, name, namespace, flags.namespace !== undefined, signal)
    const target = targetOf(change)
    const ports = objectPorts({ transport, connection, clock: session.clock })
    const today = await ports
      .getObject(target.type, target.namespace, target.name, signal)
      .catch((error: unknown) => {
        if (error instanceof DeckError && error.code === 'KUBE_NOT_FOUND') return undefined
        throw error
      })
    const undo = new UndoReport({ change, today, plan: planUndo(change, today), target, flags, session })
    if (!(await undo.explain())) return
    if (!flags.apply) return await undo.print()
    const { plan } = undo
    if (plan.type === 'nothing') return
    const cluster = { transport, connection }
    await undo.show(await requestUndo(plan, target, cluster, { dryRun: true, signal }))
    if (!flags.yes) await confirm(session, 'Write it?')
    await requestUndo(plan, target, cluster, { dryRun: false, signal })
    await session.stdout.write(
      `${visible(undo.objectName)} ${DONE[plan.type]}: ${visible(name)} is taken back\n`,
    )
  } finally {
    ended.abort()
    transport.close()
  }
}

const DONE: Readonly<Record<WritingPlan['type'], string>> = {
  patch: 'patched',
  create: 'created',
  delete: 'deleted',
}

/** The recorded change of that name in the namespace, or where none was given among those of the whole cluster. */
async function findChange(
  { ports, question }: ChangesWay,
  name: string,
  namespace: string,
  onlyThere: boolean,
  signal: AbortSignal,
): Promise<Change> {
  try {
    const change =
      (await ports.getChange(namespace, name, signal)) ??
      (onlyThere ? undefined : await ports.getChange(undefined, name, signal))
    if (change) return change
  } catch (error) {
    throw await question.explained(error)
  }
  const where = onlyThere ? ` in namespace ${namespace}` : ''
  throw new DeckError('KUBE_NOT_FOUND', `no change ${JSON.stringify(name)} is recorded${where}`, {
    hint: 'The names of changes: kubectl blame TYPE NAME -o wide',
  })
}

function targetOf({ object }: Change): UndoTarget {
  const { group, version, resource, kind, namespace, name } = object
  const namespaced = namespace !== ''
  const type = { group, version, resource, kind, namespaced, singular: kind.toLowerCase() }
  return { type, namespace: namespaced ? namespace : undefined, name }
}
