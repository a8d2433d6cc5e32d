import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import { managedFieldsOf } from '../../../core/model/field-owners.ts'
import type { FieldTouch } from '../../../core/wire/change.ts'
import { warn } from './answer.ts'
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
  const touchesOf = options.companion && (await recordedTouches(run, options.companion))
  const { objects, failures } = await reading
  const documents = objects.map(({ object, type }) => ({
    object,
    touched: touchesOf?.get(`${type.group}/${type.resource}/${object.metadata?.name}`),
  }))
  await printBlamed(documents, options, session)
  for (const { object, touched = [] } of documents) {
    if (touched.length > 0 || managedFieldsOf(object).length > 0) continue
    // The API server drops them where an object would else be too large.
    const what = visible(`${object.kind ?? 'object'} ${object.metadata?.name ?? ''}`)
    await session.stderr.write(`${what} has no managedFields: nothing tells who wrote it\n`)
  }
  await reportFailures(failures, session)
}

/** Who last touched each field of each named object; undefined where no companion tells. */
async function recordedTouches(
  run: BlameRun,
  mode: CompanionMode,
): Promise<ReadonlyMap<string, readonly FieldTouch[]> | undefined> {
  const { targets, options, signal, session, transport, connection } = run
  const namespace = targets.find((target) => target.namespace !== undefined)?.namespace
  const way = await findChangesWay({ transport, connection, session, signal, mode, namespace })
  return way?.question.first(async () => {
    const asked = targets.flatMap((target) => (target.names ?? []).map((name) => ({ target, name })))
    const warnings = new Set<string>()
    const told = await Promise.all(
      asked.map(async ({ target, name }) => {
        const { type } = target
        const within = { namespace: target.namespace, perObject: 1 }
        const [query] = planQueries(target, name, options.filters, within).queries
        const key = `${type.group}/${type.resource}/${name}`
        if (query) {
          for await (const page of way.ports.listChanges(query, signal)) {
            for (const warning of page.warnings) warnings.add(warning)
            return [key, page.touched ?? []] as const
          }
        }
        throw new DeckError('KUBE_PROTOCOL', 'the companion is not understood: its list has no page')
      }),
    )
    await warn(session, [...warnings])
    return new Map(told)
  })
}
