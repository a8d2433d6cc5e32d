import type { ClusterConnection } from '../../../core/kube/connection.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { visible } from '../../../core/lib/text.ts'
import { lackingHint, type Lacking } from '../../features/blame/hints.ts'
import type { ChangesPorts } from '../../features/blame/ports.ts'
import { findCompanion, type CompanionMode } from '../../shell/companion.ts'
import { companionMemory } from '../../shell/companion-memory.ts'
import { CompanionQuestion } from '../../shell/companion-question.ts'
import type { Session } from '../../shell/session.ts'
import { changesPorts, changesResource } from './changes-ports.ts'

/** What is done where the companion fails, after the reason. */
const INSTEAD = 'showing field managers, not people, and no old values'

/** What looking for a companion that records changes stands on. */
export interface ChangesWayOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly session: Pick<Session, 'clock' | 'stderr' | 'environment'>
  /** Ends with the command. */
  readonly signal: AbortSignal
  readonly mode: CompanionMode
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined
  /** Says what is missing where there is no companion; stderr at once where left out. */
  readonly tell?: (line: string) => Promise<void> | void
}

/** The way to a companion that records changes. */
export interface ChangesWay {
  readonly ports: ChangesPorts
  readonly question: CompanionQuestion
}

/**
 * Finds the companion and its audit log; undefined where there is none: one line on stderr then says what is missing
 * and how to get it. With `require` the reason is thrown.
 */
export async function findChangesWay(options: ChangesWayOptions): Promise<ChangesWay | undefined> {
  const { transport, connection, session, signal, mode, namespace } = options
  const { tell = (line) => session.stderr.write(`${visible(line)}\n`) } = options
  const { clock, stderr, environment } = session
  const memory = companionMemory(connection, environment, clock)
  const search = { transport, connection, memory, clock, signal }
  const need = { resource: changesResource(namespace), component: 'audit-log' }
  const question = new CompanionQuestion({ ...search, stderr, mode, need, instead: INSTEAD })
  const finding = await findCompanion(search, need, mode)
  if (finding.found) return { ports: changesPorts({ transport, connection, clock }), question }
  await tell(lackingHint(whatIsLacking(memory.recall()?.state, finding.note)))
  return undefined
}

function whatIsLacking(state: 'found' | 'absent' | 'down' | undefined, note: string | undefined): Lacking {
  switch (state) {
    case 'found':
      return { type: 'no-audit-log' }
    case 'absent':
      return { type: 'no-companion' }
    case 'down':
    case undefined:
      return { type: 'no-companion', reason: note ?? 'no companion answered in time' }
  }
}
