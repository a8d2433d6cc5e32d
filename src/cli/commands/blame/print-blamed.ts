import { fieldOwners } from '../../../core/model/field-owners.ts'
import { withoutNoise } from '../../../core/model/object-noise.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { FieldTouch } from '../../../core/wire/change.ts'
import { blamedObject } from '../../features/blame/blamed-object.ts'
import type { Noise } from '../../features/blame/select.ts'
import { MANAGER_LEGEND, renderBlamedYaml } from '../../render/blamed-yaml.ts'
import { createPalette } from '../../render/palette.ts'
import type { Session } from '../../shell/session.ts'
import type { BlameOptions } from './options.ts'

/** An object, and what a companion recorded of its fields. */
export interface BlamedDocument {
  readonly object: KubernetesObject
  readonly touched?: readonly FieldTouch[] | undefined
}

/** Prints objects with who is named at each line; stderr explains names that are no person's. */
export async function printBlamed(
  documents: readonly BlamedDocument[],
  options: Pick<BlameOptions, 'layout' | 'time' | 'include' | 'color'>,
  { stdout, stderr, environment, clock }: Session,
): Promise<void> {
  const { layout, time, include, color } = options
  const palette = await createPalette({ color, isTTY: stdout.isTerminal, env: environment })
  const blamed = documents.map(({ object, touched }) =>
    blamedObject(shown(object, include), { owners: fieldOwners(object), touched }),
  )
  const chunks = renderBlamedYaml(blamed, { layout, time, now: clock.now(), palette })
  for (const chunk of chunks) await stdout.write(chunk)
  const managers = blamed.some((lines) =>
    lines.some(({ owners }) => owners.some(({ type }) => type === 'manager')),
  )
  if (managers) await stderr.write(`${MANAGER_LEGEND}\n`)
}

/** The object without noise, but with managedFields, which tell the keys of its lists and are not printed. */
function shown(object: KubernetesObject, include: ReadonlySet<Noise>): KubernetesObject {
  const { managedFields } = object.metadata ?? {}
  const quiet = include.has('managed') ? object : withoutNoise(object)
  const { status } = object
  const { status: _, ...rest } = quiet
  return {
    ...rest,
    metadata: { ...rest.metadata, ...(managedFields ? { managedFields } : {}) },
    ...(include.has('status') && status !== undefined ? { status } : {}),
  }
}
