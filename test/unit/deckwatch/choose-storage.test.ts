import assert from 'node:assert/strict'
import { DEFAULT_VALUES, type DeployValues } from '../../../server/deploy/index.ts'
import { chooseStorage, type ChosenStorage } from '../../../src/cli/features/deckwatch/choose-storage.ts'
import { installedStorage } from '../../../src/cli/features/deckwatch/installed-storage.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { installedObjects, object, OWN } from './companion-objects.ts'
import { MemoryCluster } from './memory-cluster.ts'

type Storage = DeployValues['storage']

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

function installed(cluster: MemoryCluster, storage: Partial<Storage>): MemoryCluster {
  cluster.put(...installedObjects({ ...DEFAULT_VALUES, storage: { ...DEFAULT, ...storage } }))
  return cluster
}

/** What is chosen, with the keys that were given. */
function choose(
  cluster: MemoryCluster,
  storage: Partial<Storage> = {},
  ...given: readonly (keyof Storage)[]
): Promise<ChosenStorage> {
  const question = {
    namespace: 'deckwatch',
    storage: { ...DEFAULT, ...storage },
    given: new Set(given.map((key) => `storage.${key}`)),
  }
  return chooseStorage(cluster, question, signal)
}

describe('where the companion keeps its data', () => {
  it('is a volume where there is a default StorageClass', async () => {
    assert.deepEqual(await choose(withDefaultClass()), { storage: DEFAULT, warnings: [] })
  })

  it('is a folder of the first node that takes pods where there is none, with a warning', async () => {
    const { storage, warnings } = await choose(withNodes())
    assert.deepEqual(storage, { ...DEFAULT, type: 'hostPath', node: 'worker-1' })
    assert.match(warnings[0] ?? '', /^the cluster has no default StorageClass: the history is kept in/)
    assert.match(warnings[0] ?? '', /in \/var\/lib\/deckwatch on node worker-1 and lost with it/)
  })

  it('is refused where no node takes pods', async () => {
    await assert.rejects(choose(new MemoryCluster()), (error) => {
      assert.ok(error instanceof DeckError)
      assert.equal(error.code, 'COMPANION_CONFLICT')
      assert.match(error.hint ?? '', /--storage/)
      return true
    })
  })

  it('is a volume of the class that is named', async () => {
    const storage = { ...DEFAULT, storageClass: 'slow' }
    assert.deepEqual(await choose(withNodes(), storage, 'storageClass'), { storage, warnings: [] })
    assert.deepEqual(await choose(withNodes(), storage, 'type', 'storageClass'), { storage, warnings: [] })
  })

  it('is what was chosen, with a word where nobody may make the volume', async () => {
    const volume = await choose(withNodes(), {}, 'type')
    assert.deepEqual(volume.storage, DEFAULT)
    assert.match(volume.warnings[0] ?? '', /no default StorageClass: the volume must be made by hand/)
    const folder = await choose(withNodes(), { type: 'hostPath', node: 'drained' }, 'type', 'node')
    assert.deepEqual(folder.storage, { ...DEFAULT, type: 'hostPath', node: 'drained' })
    assert.match(folder.warnings[0] ?? '', /^the history is kept in/)
    const nothing = await choose(new MemoryCluster(), { type: 'emptyDir' }, 'type')
    assert.deepEqual(nothing, { storage: { ...DEFAULT, type: 'emptyDir' }, warnings: [] })
  })

  it('is where an installed companion has it, whatever the cluster would get now', async () => {
    for (const storage of [
      { type: 'pvc', size: '20Gi', storageClass: 'slow' },
      { type: 'emptyDir' },
      { type: 'hostPath', path: '/srv/deckwatch', node: 'worker-2' },
    ] as const) {
      const cluster = installed(storage.type === 'pvc' ? withNodes() : withDefaultClass(), storage)
      assert.deepEqual(await choose(cluster), { storage: { ...DEFAULT, ...storage }, warnings: [] })
      assert.deepEqual(await choose(cluster, { type: storage.type }, 'type'), {
        storage: { ...DEFAULT, ...storage },
        warnings: [],
      })
    }
  })

  it('is the volume that an earlier installation left behind', async () => {
    const cluster = withNodes()
    const metadata = { name: 'deckwatch-data', namespace: 'deckwatch', labels: OWN }
    const spec = { storageClassName: 'slow', resources: { requests: { storage: '20Gi' } } }
    cluster.put(object('v1', 'PersistentVolumeClaim', metadata, { spec }))
    const { storage } = await choose(cluster)
    assert.deepEqual(storage, { ...DEFAULT, size: '20Gi', storageClass: 'slow' })
  })

  it('grows, or moves to another place, only when it is told to', async () => {
    const volume = installed(withNodes(), { type: 'pvc', size: '20Gi' })
    assert.equal((await choose(volume, { size: '30Gi' }, 'size')).storage.size, '30Gi')
    const folder = installed(withNodes(), { type: 'hostPath', node: 'worker-2' })
    const moved = await choose(folder, { path: '/srv/a', node: 'worker-1' }, 'path', 'node')
    assert.deepEqual(moved.storage, { ...DEFAULT, type: 'hostPath', path: '/srv/a', node: 'worker-1' })
    assert.equal((await choose(folder, { type: 'pvc' }, 'type')).storage.type, 'pvc')
  })

  it('is read from the Deployment', () => {
    assert.equal(installedStorage(undefined), undefined)
    const storage = { ...DEFAULT, type: 'hostPath' as const, path: '/srv/a' }
    const deployment = installedObjects({ ...DEFAULT_VALUES, storage }).find(
      ({ kind }) => kind === 'Deployment',
    )
    assert.deepEqual(installedStorage(deployment), { type: 'hostPath', path: '/srv/a' })
  })
})
