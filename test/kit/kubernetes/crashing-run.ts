import { startControlPlane } from './start-control-plane.ts'
import { startNode } from './start-node.ts'

// A run for tests to kill: `node crashing-run.ts [--node]` starts a control plane, and a node, prints one line of JSON
// about them, and waits to be ended.
const withNode = process.argv.includes('--node')
const cluster = await startControlPlane(withNode ? { controllers: 'all', scheduler: true } : {})
const node = withNode ? await startNode(cluster) : undefined
const folders = [cluster.folder, ...(node ? [node.folder] : [])]

process.stdout.write(
  `${JSON.stringify({ folders: folders.map(({ path }) => path), pids: folders.flatMap(({ pids }) => pids) })}\n`,
)
process.stdin.resume()
