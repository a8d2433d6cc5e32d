import { argv, stdout } from 'node:process'
import { connect, fetchServes } from '../../../src/core/kube/connect.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import type { ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { readAll } from '../../../src/core/kube/transport.ts'

// Run by Bun or Node as a process of its own: one GET of a path by `connect`, told on standard output.
const [, , path = '/', overrides = '{}'] = argv
const environment = processEnvironment()
const connection = await loadConnection(JSON.parse(overrides) as ConnectionOverrides, environment)
const transport = connect(connection, { userAgent: 'connect/1' })
const { status, body } = await transport.send({ path })
const text = Buffer.from(await readAll(body)).toString('utf8')
stdout.write(JSON.stringify({ fetch: fetchServes(connection, environment), status, body: text }))
// Not closed: an idle connection must not keep the process.
