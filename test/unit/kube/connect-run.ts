import { argv, stdout } from 'node:process'
import { connect, fetchServes } from '../../../src/core/kube/connect.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import type { ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { readAll } from '../../../src/core/kube/transport.ts'

// Run by Bun or Node as a process of its own: one GET by `connect`, told on standard output.
const overrides = JSON.parse(argv[2] ?? '{}') as ConnectionOverrides
const environment = processEnvironment()
const connection = await loadConnection(overrides, environment)
const transport = connect(connection, { userAgent: 'connect/1' })
const response = await transport.send({ path: '/echo' })
const text = Buffer.from(await readAll(response.body)).toString('utf8')
stdout.write(`${JSON.stringify({ fetch: fetchServes(connection, environment), echo: JSON.parse(text) })}\n`)
transport.close()
