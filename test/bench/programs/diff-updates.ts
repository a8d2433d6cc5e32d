import fastJsonPatch from 'fast-json-patch'
import { create } from 'jsondiffpatch/with-text-diffs'
import { detailOf } from '../../../server/audit-log/store/change-detail.ts'
import type { ChangeRecord } from '../../../server/audit-log/store/audit-store.ts'
import { RecordCodec } from '../../../server/audit-log/store/record-codec.ts'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import { diffObjects } from '../../../src/core/model/object-diff.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'
import { updatePairs } from './update-pairs.ts'

/**
 * Diffs the same updates over and over with each contender in turn, as they come (`raw`) and without managedFields,
 * status and the like (`stripped`), and prints microseconds of one update per round, and the bytes that the store would
 * keep of the stripped ones. Argument: how many rounds.
 */
function diffUpdates(rounds: number): void {
  const pairs = updatePairs()
  const raw = pairs.map(({ before, after }): Update => [before, after])
  const stripped = pairs.map(({ before, after }): Update => [withoutNoise(before), withoutNoise(after)])
  const keys = new Map(pairs.map(({ before, after }, i) => [stripped[i], listKeysOf(before, after)]))
  const times = {
    raw: timesOf(
      {
        ours: ([before, after]) =>
          diffObjects(withoutNoise(before), withoutNoise(after), listKeysOf(before, after)),
        ...RIVALS,
      },
      raw,
      rounds,
    ),
    stripped: timesOf(
      { ours: (update) => diffObjects(...update, keys.get(update) ?? listKeysOf()), ...RIVALS },
      stripped,
      rounds,
    ),
  }
  const ours = stripped.map((update) => diffObjects(...update, keys.get(update) ?? listKeysOf()))
  const outputs: Record<Name, readonly unknown[]> = {
    ours: ours.map((changes) => (changes.length === 0 ? undefined : stored(changes))),
    'fast-json-patch': stripped.map(RIVALS['fast-json-patch']),
    jsondiffpatch: stripped.map(RIVALS.jsondiffpatch),
  }
  const bytes = Object.fromEntries(Object.entries(outputs).map(([name, list]) => [name, keptBytes(list)]))
  console.log(JSON.stringify({ ...times, bytes }))
}

type Name = 'ours' | 'fast-json-patch' | 'jsondiffpatch'
type Update = readonly [before: KubernetesObject, after: KubernetesObject]
type Contender = (update: Update) => unknown

const differ = create({
  objectHash: (entry: object) => {
    const { name, mountPath, containerPort, type } = entry as Readonly<Record<string, unknown>>
    return JSON.stringify(name ?? mountPath ?? containerPort ?? type ?? entry)
  },
})

const RIVALS = {
  'fast-json-patch': ([before, after]: Update) => fastJsonPatch.compare(before, after),
  jsondiffpatch: ([before, after]: Update) => differ.diff(before, after),
}

/** Whatever else the machine does falls on all alike: they take turns, and each round begins with another one. */
function timesOf(
  contenders: Readonly<Record<Name, Contender>>,
  updates: readonly Update[],
  rounds: number,
): Record<Name, number[]> {
  const names = Object.keys(contenders) as Name[]
  const times: Record<Name, number[]> = { ours: [], 'fast-json-patch': [], jsondiffpatch: [] }
  for (let round = -rounds / 4; round < rounds; round++) {
    for (const place of names.keys()) {
      const name = names[(place + Math.abs(Math.round(round))) % names.length] ?? 'ours'
      const started = performance.now()
      for (const update of updates) contenders[name](update)
      // The first rounds warm up.
      if (round >= 0) times[name].push(((performance.now() - started) * 1000) / updates.length)
    }
  }
  return times
}

/** What the store keeps of a change's fields: their paths are kept once for all changes of the same fields. */
function stored(changes: readonly FieldChange[]): unknown {
  const via = { manager: '', tool: '', source: '', revision: '', initiatedBy: '', manual: false }
  return detailOf({ changes, via } as unknown as ChangeRecord, true)
}

/** Bytes of one update, compressed as the store does while it has no dictionary; an update of noise has none. */
function keptBytes(outputs: readonly unknown[]): number {
  const codec = new RecordCodec()
  const sizes = outputs.map((output) => {
    const isEmpty = output === undefined || (Array.isArray(output) && output.length === 0)
    return isEmpty ? 0 : codec.encode(output, 'bench').length
  })
  return sizes.reduce((sum, size) => sum + size, 0) / outputs.length
}

diffUpdates(Number(process.argv[2] ?? 400))
