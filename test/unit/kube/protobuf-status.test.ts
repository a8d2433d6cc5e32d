import assert from 'node:assert/strict'
import { withJsonStatus } from '../../../src/core/kube/protobuf-status.ts'
import { type KubeResponse, readAll } from '../../../src/core/kube/transport.ts'
import { encodeObject, type Kinded } from '../../kit/fake-api/protobuf-encode.ts'

const status: Kinded = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: { continue: 'token' },
  status: 'Failure',
  message: 'pods is forbidden: User "ada" cannot list resource "pods"',
  reason: 'Forbidden',
  details: {
    name: 'web',
    group: 'apps',
    kind: 'pods',
    causes: [{ reason: 'FieldValueInvalid', message: 'bad', field: 'spec' }],
    retryAfterSeconds: 3,
    uid: 'u',
  },
  code: 403,
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const response = (contentType: string, bytes: Uint8Array): KubeResponse => ({
  status: 403,
  headers: { 'content-type': contentType },
  body: once(bytes),
})

describe('a Status in protobuf', () => {
  it('becomes the JSON that it would have been', async () => {
    const json = withJsonStatus(response('application/vnd.kubernetes.protobuf', encodeObject(status)))
    assert.equal(json.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(Buffer.from(await readAll(json.body)).toString()), status)
  })

  it('leaves every other answer as it is', async () => {
    const html = response('text/html', Buffer.from('<h1>sign in</h1>'))
    assert.equal(withJsonStatus(html), html)
    const notAStatus = withJsonStatus(response('application/vnd.kubernetes.protobuf', Buffer.from('busy')))
    assert.equal(Buffer.from(await readAll(notAStatus.body)).toString(), 'busy')
  })
})
