import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import { managedFieldsOf } from '../../../core/model/field-owners.ts'
import type { FieldTouch } from '../../../core/wire/change.ts'
import { warnOf } from './answer.ts'
import type { BlameRun } from './blame-run.ts'
import { planQueries } from './changes-query.ts'
import { findChangesWay } from './changes-way.ts'
import type { CompanionMode } from '../../shell/companion.ts'
import { printBlamed } from './print-blamed.ts'
import { reportFailures } from './report-failures.ts'
import { todaysObjects } from './todays-objects.ts'

/** `-f yaml`: today's objects with who is named at each line; what is recorded of them is asked for at the same time. */
export async function blameObjects(run: BlameRun): Promise<void> {
  const { options, session } = run
  const reading = todaysObjects(run)
  // It is awaited after the companion, which may fail first.
  reading.catch(() => undefined)
  // Once the API server has answered: who cannot reach that has no use for it.
  const lacking: string[] = []
  const touchesOf = options.companion && (await recordedTouches(run, options.companion, lacking))
  const { objects, failures } = await reading
  for (const line of lacking) await session.stderr.write(`${visible(line)}\n`)
  const documents = objects.map(({ object, type }) => ({
    object,
    touched: touchesOf?.byName.get(`${type.group}/${type.resource}/${object.metadata?.name}`),
  }))
  await printBlamed(documents, options, session)
  for (const { object, touched = [] } of documents) {
    if (touched.length > 0 || managedFieldsOf(object).length > 0) continue
    // The API server drops them where an object would else be too large.
    const what = visible(`${object.kind ?? 'object'} ${object.metadata?.name ?? ''}`)
    await session.stderr.write(`${what} has no managedFields: nothing tells who wrote it\n`)
  }
  if (failures.length > 0 && touchesOf) await tellDeleted(run, touchesOf.deleted)
  await reportFailures(failures, session)
}

/** Who asks for today's object and is told that there is none should know that it is not a slip of the pen. */
async function tellDeleted({ session }: BlameRun, names: readonly Named[]): Promise<void> {
  for (const { target, name } of names) {
    const { singular } = target.type
    const where = target.namespace === undefined ? '' : ` -n ${target.namespace}`
    await session.stderr.write(
      `${visible(`${singular}/${name} was deleted; by whom, and what it was: kubectl blame ${singular} ${name}${where} -f diff`)}\n`,
    )
  }
}

interface Named {
  readonly target: BlameRun['targets'][number]
  readonly name: string
}

/** What is recorded of named objects. */
interface Touches {
  /** Who last touched each field, by group, resource and name. */
  readonly byName: ReadonlyMap<string, readonly FieldTouch[]>
  /** Those whose latest change was their end. */
  readonly deleted: readonly Named[]
}

/** Who last touched each field of each named object; undefined where no companion tells. */
async function recordedTouches(
  run: BlameRun,
  mode: CompanionMode,
  lacking: string[],
): Promise<Touches | undefined> {
  const { targets, options, signal, session, transport, connection } = run
  const namespace = targets.find((target) => target.namespace !== undefined)?.namespace
  const way = await findChangesWay({
    transport,
    connection,
    session,
    signal,
    mode,
    namespace,
    tell: (line) => void lacking.push(line),
  })
  return way?.question.first(async () => {
    const asked = targets.flatMap((target) => (target.names ?? []).map((name) => ({ target, name })))
    const warnings = new Set<string>()
    const deleted: Named[] = []
    const told = await Promise.all(
      asked.map(async ({ target, name }) => {
        const { type } = target
        const within = { namespace: target.namespace, perObject: 1 }
        const [query] = planQueries(target, name, options.filters, within).queries
        const key = `${type.group}/${type.resource}/${name}`
        if (query) {
          for await (const page of way.ports.listChanges(query, signal)) {
            for (const warning of page.warnings) warnings.add(warning)
            if (page.changes[0]?.operation === 'DELETE') deleted.push({ target, name })
            return [key, page.touched ?? []] as const
          }
        }
        throw new DeckError('KUBE_PROTOCOL', 'the companion is not understood: its list has no page')
      }),
    )
    await warnOf({ warnings: [...warnings], changes: [] }, run)
    return { byName: new Map(told), deleted }
  })
}
