// Makes the fixtures of stored-schemas.test.ts, once for each released schema, by a real run: a companion beside a real
// API server records a few pods and ends. Run it as `node test/contract/image-graph/record-store.ts schema-1`.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { V1Pod } from '@kubernetes/client-node'
import { startCompanion } from '../../kit/companion.ts'
import { createPods, deletePods } from '../../kit/kubernetes/seed.ts'
import { startControlPlane } from '../../kit/kubernetes/start-control-plane.ts'

const [schema = ''] = process.argv.slice(2)
const folder = join(import.meta.dirname, schema)
const PLURALS = ['images', 'clusterimages', 'imageevents', 'clusterimageevents']

const pod = (namespace: string, name: string, image: string): V1Pod => ({
  metadata: { namespace, name },
  spec: {
    nodeName: 'node-1',
    initContainers: [{ name: 'init', image: 'busybox:1.36' }],
    containers: [{ name: 'app', image }],
  },
})

const cluster = await startControlPlane()
try {
  await createPods(cluster, [pod('shop', 'web-1', 'nginx:1.25'), pod('pay', 'web-1', 'docker.io/nginx:1.25')])
  const companion = await startCompanion(cluster)
  await createPods(cluster, [pod('shop', 'web-2', 'nginx:1.27'), pod('shop', 'job-1', 'perl')])
  await deletePods(cluster, [pod('shop', 'job-1', 'perl')])
  const said: Record<string, unknown> = {}
  for (;;) {
    for (const plural of PLURALS) {
      const { stdout } = await cluster.kubectl(['get', plural, '-A', '-o', 'json'])
      said[plural] = (JSON.parse(stdout) as { items: unknown[] }).items
    }
    if (JSON.stringify(said['imageevents']).includes('"op":"-"')) break
  }
  await companion.terminate()
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(companion.data, 'image-graph.sqlite'), join(folder, 'image-graph.sqlite'))
  writeFileSync(join(folder, 'said.json'), `${JSON.stringify(said, undefined, 2)}\n`)
  await companion.stop()
} finally {
  await cluster.stop()
}
