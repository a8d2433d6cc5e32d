import { connect } from '../../../src/core/kube/connect.ts'
import type { ConnectionEnvironment } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import type { FakeApi } from './fake-api.ts'

/** The real transport to a fake API server, from its kubeconfig and nothing of the machine's. */
export async function fakeTransport(api: FakeApi): Promise<KubeTransport> {
  const environment: ConnectionEnvironment = {
    variables: {},
    home: undefined,
    workingDirectory: '/',
    clock: systemClock,
    readFile: () => Buffer.from(api.kubeconfig()),
    stdinIsTerminal: () => false,
  }
  return connect(await loadConnection({ kubeconfig: '/kubeconfig' }, environment), { environment })
}
