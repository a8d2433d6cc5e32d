import assert from 'node:assert/strict'
import { DEFAULT_VALUES, manifests, type DeployValues } from '../../../server/deploy/index.ts'
import {
  chooseStorage,
  storageOf,
  type StorageQuestion,
} from '../../../src/cli/features/deckwatch/choose-storage.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { object } from './companion-objects.ts'
import { MemoryCluster } from './memory-cluster.ts'

const { storage: DEFAULT } = DEFAULT_VALUES
const { signal } = new AbortController()
const READY = { conditions: [{ type: 'Ready', status: 'True' }] }

function withNodes(): MemoryCluster {
  const cluster = new MemoryCluster()
  cluster.put(
    object(
      'v1',
      'Node',
      { name: 'control' },
      {
        spec: { taints: [{ effect: 'NoSchedule' }] },
        status: READY,
      },
    ),
    object('v1', 'Node', { name: 'drained' }, { spec: { unschedulable: true }, status: READY }),
    object(
      'v1',
      'Node',
      { name: 'broken' },
      { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    ),
    object('v1', 'Node', { name: 'pane', labels: { 'kubernetes.io/os': 'windows' } }, { status: READY }),
    object('v1', 'Node', { name: 'worker-2' }, { status: READY }),
    object('v1', 'Node', { name: 'worker-1' }, { status: READY }),
  )
  return cluster
}

function withDefaultClass(): MemoryCluster {
  const cluster = withNodes()
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  cluster.put(object('storage.k8s.io/v1', 'StorageClass', { name: 'fast', annotations }))
  return cluster
}

function installed(storage: Partial<DeployValues['storage']>) {
  const values = { ...DEFAULT_VALUES, storage: { ...DEFAULT, ...storage } }
  return manifests(values).find(({ object: { kind } }) => kind === 'Deployment')?.object
}

function question(more: Partial<StorageQuestion> = {}): StorageQuestion {
  return { storage: DEFAULT, typeGiven: false, installed: undefined, ...more }
}

describe('where the companion keeps its data', () => {
  it('is a volume where there is a default StorageClass', async () => {
    const { storage, warnings } = await chooseStorage(withDefaultClass(), question(), signal)
    assert.deepEqual(storage, DEFAULT)
    assert.deepEqual(warnings, [])
  })

  it('is a folder of the first node that takes pods where there is none, with a warning', async () => {
    const { storage, warnings } = await chooseStorage(withNodes(), question(), signal)
    assert.deepEqual(storage, { ...DEFAULT, type: 'hostPath', node: 'worker-1' })
    assert.match(warnings[0] ?? '', /in \/var\/lib\/deckwatch on node worker-1 and lost with it/)
  })

  it('is refused where no node takes pods', async () => {
    const cluster = new MemoryCluster()
    await assert.rejects(chooseStorage(cluster, question(), signal), (error) => {
      assert.ok(error instanceof DeckError)
      assert.equal(error.code, 'COMPANION_CONFLICT')
      assert.match(error.hint ?? '', /--storage/)
      return true
    })
  })

  it('is a volume of the class that is named', async () => {
    const storage = { ...DEFAULT, storageClass: 'slow' }
    const chosen = await chooseStorage(withNodes(), question({ storage }), signal)
    assert.deepEqual(chosen, { storage, warnings: [] })
    const given = await chooseStorage(withNodes(), question({ storage, typeGiven: true }), signal)
    assert.deepEqual(given, { storage, warnings: [] })
  })

  it('is what was chosen, with a word where nobody may make the volume', async () => {
    const chosen = await chooseStorage(withNodes(), question({ typeGiven: true }), signal)
    assert.deepEqual(chosen.storage, DEFAULT)
    assert.match(chosen.warnings[0] ?? '', /no default StorageClass/)
    const storage = { ...DEFAULT, type: 'hostPath' as const, node: 'drained' }
    const onNode = await chooseStorage(withNodes(), question({ storage, typeGiven: true }), signal)
    assert.deepEqual(onNode.storage, storage)
  })

  it('is where an installed companion has it, whatever the cluster would get now', async () => {
    for (const storage of [
      { type: 'pvc' },
      { type: 'emptyDir' },
      { type: 'hostPath', path: '/srv/deckwatch', node: 'worker-2' },
    ] as const) {
      const cluster = storage.type === 'pvc' ? withNodes() : withDefaultClass()
      const chosen = await chooseStorage(cluster, question({ installed: installed(storage) }), signal)
      assert.deepEqual(chosen, { storage: { ...DEFAULT, ...storage }, warnings: [] })
    }
  })

  it('stays on its node when only the type is said again', async () => {
    const storage = { ...DEFAULT, type: 'hostPath' as const }
    const before = installed({ type: 'hostPath', node: 'worker-2' })
    const chosen = await chooseStorage(
      withNodes(),
      question({ storage, typeGiven: true, installed: before }),
      signal,
    )
    assert.equal(chosen.storage.node, 'worker-2')
  })

  it('is read from the Deployment', () => {
    assert.equal(storageOf(undefined), undefined)
    assert.deepEqual(storageOf(installed({ type: 'hostPath', path: '/srv/a' })), {
      type: 'hostPath',
      path: '/srv/a',
    })
  })
})
