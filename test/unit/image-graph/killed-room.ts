// Runs the image graph over a churning cluster on paper until it is killed, and prints what a watcher is told: the other
// half of killed-room.test.ts. With `settle` it stops the churn, and ends by printing what is in use.
import { writeSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { createImageGraph, IMAGE_GRAPH_DEFAULTS } from '../../../server/image-graph/index.ts'
import { createMetricsRegistry } from '../../../server/kit/metrics.ts'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { PaperCluster } from './paper-cluster.ts'

const [folder = '', seed = '1', mode = 'churn'] = process.argv.slice(2)
const caller = { username: 'test', uid: '', groups: [], extra: {} }
const log = recordedLog()
// No pod of one process is ever one of another's.
const cluster = new PaperCluster(systemClock, `-${seed}`)
let random = Number(seed)
const upTo = (count: number): number => {
  // Park and Miller's minimal standard generator: the same story for the same seed.
  random = (random * 48_271) % 2_147_483_647
  return random % count
}
const step = (): void => {
  const [namespace, pod] = [`ns-${upTo(3)}`, `pod-${upTo(12)}`]
  if (upTo(3) === 0) cluster.end(namespace, pod)
  else cluster.run(namespace, pod, { app: `image-${upTo(8)}` })
}
// Namespaces outlive the processes, as they outlive the companion's.
for (let n = 0; n < 3; n += 1) cluster.namespaces.set(`ns-${n}`, { uid: `uid-${n}`, created: 0 })
for (let i = 0; i < 40; i += 1) step()

const room = createImageGraph({
  pods: cluster.pods,
  nodes: cluster.nodes,
  transport: cluster.transport,
  openStore: (options) => openStore({ ...options, folder }, { clock: systemClock, log }),
  leadership: { holder: undefined, lead: (work, signal) => work(signal) },
  clock: systemClock,
  log,
  metrics: createMetricsRegistry(),
  config: IMAGE_GRAPH_DEFAULTS,
})
const stop = new AbortController()
const running = room.run(stop.signal)
while (!room.ready().ok) await Promise.race([running, delay(1)])

const reader = room.resources.find(({ plural }) => plural === 'imageevents')?.reader
if (!reader) throw new Error('the room serves no events')
const all = { namespace: undefined, namespaceUid: undefined, fields: [], sinceTime: undefined }
async function tell(): Promise<void> {
  for await (const notice of reader?.watch({ ...all, resourceVersion: undefined }, caller, stop.signal) ??
    []) {
    if (notice.type === 'BOOKMARK') continue
    const { op, image, pod } = notice.object as unknown as ImageEvent
    writeSync(1, `${notice.object.metadata.name} ${op}${image} ${pod.namespace}/${pod.uid}\n`)
  }
}
const telling = tell()
if (mode === 'churn') {
  for (;;) {
    for (let i = upTo(4); i >= 0; i -= 1) step()
    await delay(upTo(3))
  }
}
await delay(50)
stop.abort()
await Promise.all([running, telling])
const inUse = [...cluster.pods.objects.values()].flatMap(({ namespace, images }) =>
  images.map(({ image }) => `${namespace} ${image}`),
)
writeSync(1, `in use: ${[...new Set(inUse)].toSorted().join(', ')}\n`)
