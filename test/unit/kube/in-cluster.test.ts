import { deepEqual, equal } from 'node:assert/strict'
import type { ConnectionOverrides } from '../../../src/core/kube/connection.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { memoryEnvironment } from './memory-environment.ts'
import type { MemoryMachine } from './memory-environment.ts'

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const KUBECONFIG = `
current-context: c
clusters: [{name: c, cluster: {server: "https://c.test"}}]
contexts: [{name: c, context: {cluster: c, user: u}}, {name: d, context: {cluster: c, user: u, namespace: default}}]
users: [{name: u, user: {token: t}}]
`

function pod(rest: MemoryMachine['files'] = {}, variables: Record<string, string> = {}): MemoryMachine {
  return {
    variables: { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443', ...variables },
    files: {
      [`${ACCOUNT}/token`]: 'pod-token',
      [`${ACCOUNT}/ca.crt`]: 'ca',
      [`${ACCOUNT}/namespace`]: 'pods-own\n',
      ...rest,
    },
  }
}

const load = (machine: MemoryMachine, overrides: ConnectionOverrides = {}) =>
  loadConnection(overrides, memoryEnvironment(machine))

describe('the connection of a pod', () => {
  it('is its service account, as files that are read again', async () => {
    const connection = await load(pod())
    equal(connection.server, 'https://10.96.0.1')
    equal(connection.source, 'in-cluster')
    equal(connection.namespace, 'pods-own')
    deepEqual(connection.auth, { kind: 'token-file', file: `${ACCOUNT}/token`, token: '' })
    deepEqual(connection.trust.authority, { file: `${ACCOUNT}/ca.crt` })
  })

  it('writes an IPv6 address as a URL wants it', async () => {
    const machine = pod({}, { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' })
    equal((await load(machine)).server, 'https://[fd00::1]:6443')
  })

  it('trusts the system’s roots where the account has no authority', async () => {
    const { files = {}, ...rest } = pod()
    const { [`${ACCOUNT}/ca.crt`]: _, ...without } = files
    equal((await load({ ...rest, files: without })).trust.authority, undefined)
  })

  it('obeys flags', async () => {
    const connection = await load(pod(), { token: 'flag', as: 'eve', namespace: 'shop' })
    deepEqual(connection.auth, { kind: 'token', token: 'flag', origin: undefined })
    deepEqual(
      [connection.source, connection.impersonate?.user, connection.namespace],
      ['in-cluster', 'eve', 'shop'],
    )
  })

  it('gives way to a kubeconfig and to --server', async () => {
    const machine = pod({ '/home/me/.kube/config': KUBECONFIG })
    equal((await load(machine)).server, 'https://c.test')
    const named = await load(pod(), { server: 'https://s.test' })
    deepEqual([named.server, named.auth], ['https://s.test', { kind: 'none' }])
  })

  it('serves where the kubeconfig chooses no context', async () => {
    const machine = pod({ '/home/me/.kube/config': KUBECONFIG.replace('current-context: c', '') })
    equal((await load(machine)).source, 'in-cluster')
  })

  it('lends its namespace to a context that names none', async () => {
    const machine = pod({ '/home/me/.kube/config': KUBECONFIG })
    equal((await load(machine)).namespace, 'pods-own')
    equal((await load(machine, { context: 'd' })).namespace, 'default')
    equal((await load(pod({}, { POD_NAMESPACE: 'told' }))).namespace, 'told')
  })
})
