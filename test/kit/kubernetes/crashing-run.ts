import { readFileSync, readdirSync } from 'node:fs'
import { startControlPlane } from './start-control-plane.ts'

// A run for kit.test.ts to kill: it starts a control plane, says which processes it has, and waits to be ended.
const { folder } = await startControlPlane()
const pids = readdirSync(folder.file('processes')).map(
  (name) => JSON.parse(readFileSync(folder.file('processes', name), 'utf8')).pid as number,
)
process.stdout.write(`${JSON.stringify({ folder: folder.path, pids })}\n`)
process.stdin.resume()
