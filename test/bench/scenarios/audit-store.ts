import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditStore, ChangeQuery, ChangeRecord } from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { everything } from '../../kit/sample-change.ts'
import { AuditWorkload } from '../audit-workload.ts'
import { distribution } from '../distribution.ts'
import { type Finding, milliseconds } from '../finding.ts'
import type { Scenario } from '../scenario.ts'

const BATCH = 500
const BAR_BYTES = 700

/** A million changes in the embedded store: how much room they take, and how long it takes to find some of them. */
export const auditStoreScenario: Scenario = {
  name: 'audit-store',
  about: 'a million recorded changes, their size and how fast they are found',
  cluster: 'small',
  async run({ quick }) {
    const folder = mkdtempSync(join(tmpdir(), 'deckwatch-bench-audit-'))
    try {
      return await measure(folder, quick ? 100_000 : 1_000_000, quick ? 100 : 500)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

async function measure(folder: string, changes: number, rounds: number): Promise<Finding[]> {
  const open = () => openAuditStore({ folder, url: '' }, { clock: systemClock, log: recordedLog() })
  let store = await open()
  await store.claim()
  const began = performance.now()
  const samples = await fill(store, changes)
  const each = ((performance.now() - began) * 1000) / changes
  await store.close()
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  store = await open()
  try {
    const many = `with ${changes.toLocaleString('en')} changes: `
    return [
      {
        what: `bytes on disk per change, of ${changes.toLocaleString('en')}`,
        ours: `${Math.round(bytes / changes)} B`,
        bar: { text: `≤ ${BAR_BYTES} B`, met: bytes / changes <= BAR_BYTES },
      },
      { what: 'microseconds to keep a change, in batches of 500', ours: `${Math.round(each)} µs` },
      ...(await ask(store, samples, rounds, many)),
    ]
  } finally {
    await store.close()
  }
}

/** Writes changes of the workload, and gives some of them, evenly chosen. */
async function fill(store: AuditStore, changes: number): Promise<ChangeRecord[]> {
  const workload = new AuditWorkload()
  const samples: ChangeRecord[] = []
  const every = Math.ceil(changes / 1000)
  for (let done = 0; done < changes; done += BATCH) {
    const steps = workload.steps(BATCH)
    await store.commit({
      added: steps.map(({ record }) => record),
      known: steps.flatMap(({ known }) => known ?? []),
      decided: [],
      gaps: [],
    })
    for (const [i, { record }] of steps.entries()) if ((done + i) % every === 0) samples.push(record)
  }
  const kept = await store.count(everything())
  if (kept !== changes) throw new Error(`${kept} of ${changes} changes are there`)
  return samples
}

async function ask(
  store: AuditStore,
  samples: readonly ChangeRecord[],
  rounds: number,
  many: string,
): Promise<Finding[]> {
  const people = samples.filter(({ actor }) => actor === 'person')
  const page = (query: Partial<ChangeQuery>, limit = 50) => store.page(everything(query), limit, undefined)
  const equals = (field: string, value: string) => ({ field, operator: '=' as const, value })
  const kind = [equals('object.group', 'apps'), equals('object.resource', 'deployments')]
  const questions: readonly (readonly [
    what: string,
    bar: number | undefined,
    from: readonly ChangeRecord[],
    question: (sample: ChangeRecord) => Promise<unknown>,
  ])[] = [
    [
      "one object's history",
      20,
      samples,
      ({ object }) =>
        page({
          namespace: object.namespace,
          fields: [
            equals('object.group', object.group),
            equals('object.resource', object.resource),
            equals('object.name', object.name),
          ],
        }),
    ],
    ['the list of a namespace', 20, samples, ({ object }) => page({ namespace: object.namespace })],
    [
      "three each of a namespace's Deployments",
      20,
      samples,
      ({ object }) => page({ namespace: object.namespace, fields: kind, perObject: 3 }),
    ],
    [
      "one person's changes",
      20,
      people,
      ({ user }) => page({ fields: [equals('user.username', user?.username ?? '')] }),
    ],
    [
      "people's changes in a namespace",
      20,
      people,
      ({ object }) => page({ namespace: object.namespace, fields: [equals('actor', 'person')] }),
    ],
    ["all people's changes", 20, people, () => page({ fields: [equals('actor', 'person')] })],
    ['who last touched each field', 5, samples, ({ object }) => store.touched(object)],
    ['the latest of the cluster', undefined, samples, () => page({})],
    [
      "a namespace's people by tool",
      undefined,
      people,
      ({ object }) => page({ namespace: object.namespace, fields: [equals('via.manual', 'true')] }),
    ],
    [
      'five hundred changes after a number',
      undefined,
      samples,
      async (sample) => {
        const found = await store.get(sample.id)
        return store.after(found?.number ?? 0, 500)
      },
    ],
  ]
  const findings: Finding[] = []
  for (const [what, bar, from, question] of questions) {
    const times: number[] = []
    const busy: number[] = []
    for (let round = 0; round < rounds; round++) {
      const sample = from[(round * 7919) % from.length]
      if (!sample) throw new Error(`nothing to ask about ${what}`)
      const before = process.threadCpuUsage()
      const began = performance.now()
      await question(sample)
      times.push(performance.now() - began)
      const { user, system } = process.threadCpuUsage(before)
      busy.push((user + system) / 1000)
    }
    const { median, p99 } = distribution(times)
    findings.push({
      what: `${many}${what}`,
      // Beside other work on the machine, what the thread worked tells more.
      ours: `p50 ${milliseconds(median)}, p99 ${milliseconds(p99)} (CPU ${milliseconds(distribution(busy).p99)})`,
      ...(bar === undefined ? {} : { bar: { text: `p99 ≤ ${bar} ms`, met: p99 <= bar } }),
    })
  }
  return findings
}
