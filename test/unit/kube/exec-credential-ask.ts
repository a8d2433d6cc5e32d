import { argv, stdout } from 'node:process'
import { createConnectFiles } from '../../../src/core/kube/connect-files.ts'
import { createCredentials } from '../../../src/core/kube/connect-credentials.ts'
import { processEnvironment } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'

// Run as a process of its own, so that a test can be its terminal.
const environment = { ...processEnvironment(), stdinIsTerminal: () => true }
const connection = await loadConnection({ kubeconfig: argv[2] }, environment)
const credentials = await createCredentials(connection, environment, createConnectFiles(environment))
stdout.write(`${(await credentials.current(undefined)).authorization}\n`)
