import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Change } from '../../src/core/wire/change.ts'
import { AuditWorld, type ServedChanges } from '../kit/audit-world.ts'
import { deleteNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const API = '/apis/deckwatch.dev/v1alpha1'

describe('who may see which changes, on a real API server', function () {
  this.timeout(300_000)
  let world: AuditWorld
  const children: ChildProcess[] = []
  /** Changes as the administrator sees them, by what they are of. */
  let secretChange: Change
  let othersChange: Change

  before(async function () {
    await requireKubernetes(this)
    world = await AuditWorld.start()
    for (const namespace of ['shop', 'bank']) {
      await world.ensureNamespace(namespace)
      await world.run('alice', ['-n', namespace, 'create', 'deployment', `${namespace}-web`, '--image=web'])
      await world.run('alice', ['-n', namespace, 'create', 'secret', 'generic', `${namespace}-hidden`])
      await world.run('alice', ['-n', namespace, 'create', 'role', `${namespace}-role`, ...PODS])
    }
    await bind('vera', 'view', 'shop')
    await world.settled()
    secretChange = await theOnly('shop', 'shop-hidden')
    othersChange = await theOnly('bank', 'bank-web')
  })

  after(() => world?.stop())

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill()
      await once(child, 'close')
    }
  })

  const PODS = ['--verb=get', '--resource=pods']

  async function bind(user: string, role: string, namespace: string): Promise<void> {
    const args = ['create', 'rolebinding', `${user}-${role}`, `--clusterrole=${role}`, `--user=${user}`]
    await world.run('admin', ['-n', namespace, ...args])
  }

  async function theOnly(namespace: string, name: string): Promise<Change> {
    const [change, ...more] = await world.changes(namespace, [`object.name=${name}`])
    assert.ok(change)
    assert.equal(more.length, 0)
    return change
  }

  const ask = (user: string, path: string) =>
    world.cluster.kubectl(['get', '--raw', `${API}/${path}`], { kubeconfig: world.cluster.user(user) })

  async function list(user: string, path: string): Promise<ServedChanges> {
    const { stdout, stderr, exitCode } = await ask(user, path)
    assert.equal(exitCode, 0, `${path}: ${stderr}`)
    return JSON.parse(stdout) as ServedChanges
  }

  const select = (...fields: string[]): string => `fieldSelector=${encodeURIComponent(fields.join(','))}`

  /** The cursor behind the newest change of a namespace, as the administrator gets it. */
  async function cursorIn(namespace: string): Promise<string> {
    const { metadata } = await world.cluster.admin.send<ServedChanges>(
      'GET',
      `${API}/namespaces/${namespace}/changes?limit=1`,
    )
    assert.ok(metadata.continue)
    return encodeURIComponent(metadata.continue)
  }

  function watch(
    user: string,
    namespace: string,
    ...args: string[]
  ): { output(): string; told: (text: string) => Promise<unknown>; ended: Promise<unknown> } {
    const child = spawn(
      world.cluster.kubectlPath,
      ['get', 'changes', '-n', namespace, '--watch', '-o', 'json', ...args],
      {
        env: { ...process.env, KUBECONFIG: world.cluster.user(user) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    return {
      output: () => output,
      told: (text) => world.until(() => output.includes(text) || undefined, `${text} in the watch`),
      ended: once(child, 'close'),
    }
  }

  describe('a viewer of a namespace', () => {
    it('sees what they may get, and of Secrets and roles not even a name', async () => {
      const { stdout } = await ask('vera', 'namespaces/shop/changes')
      assert.match(stdout, /shop-web/)
      assert.doesNotMatch(stdout, /shop-hidden|shop-role/)
      const kinds = (JSON.parse(stdout) as ServedChanges).items.map(({ object }) => object.kind)
      assert.deepEqual([...new Set(kinds)].toSorted(), ['ConfigMap', 'Deployment', 'ServiceAccount'])
    })

    it('finds no Secret by any selector, and is not told how many changes of it there are', async () => {
      const { object } = secretChange
      for (const fields of [
        ['object.resource=secrets'],
        ['object.kind=Secret'],
        [`object.name=${object.name}`],
        [`object.uid=${object.uid}`],
        ['object.resource=secrets', `object.name=${object.name}`],
        ['object.resource=secrets', 'object.group=', `object.name=${object.name}`],
        ['object.resource!=deployments', 'object.resource=secrets', `object.name=${object.name}`],
        ['object.resource=deployments', `object.name=${object.name}`, `object.uid=${object.uid}`],
        ['object.resource=secrets', 'object.resource=deployments', `object.name=${object.name}`],
        ['state=admitted'],
        ['state!=confirmed', 'state!=pending', 'state!=not-landed'],
        [`metadata.name=${secretChange.metadata?.name}`],
      ]) {
        const {
          items,
          touched = [],
          kept = 0,
        } = await list('vera', `namespaces/shop/changes?${select(...fields)}`)
        const told = [items.length, touched.length, kept]
        assert.deepEqual(told, [0, 0, 0], fields.join())
      }
      const perObject = await list('vera', 'namespaces/shop/changes?perObject=1&limit=100')
      assert.ok(!perObject.items.some(({ object: { kind } }) => kind === 'Secret'))
    })

    it('gets a Secret’s change by its name as little as one that there is not', async () => {
      const name = secretChange.metadata?.name ?? ''
      const there = await ask('vera', `namespaces/shop/changes/${name}`)
      const nowhere = await ask('vera', 'namespaces/shop/changes/1-1')
      assert.equal(there.exitCode, 1)
      assert.equal(there.stderr.replaceAll(name, '1-1'), nowhere.stderr)
    })

    it('is not led to one by somebody else’s cursor', async () => {
      for (const namespace of ['shop', 'bank']) {
        const page = await list(
          'vera',
          `namespaces/shop/changes?limit=100&continue=${await cursorIn(namespace)}`,
        )
        const kinds = new Set(page.items.map(({ object }) => `${object.namespace}/${object.kind}`))
        for (const kind of kinds) assert.match(kind, /^shop\/(ConfigMap|Deployment|ServiceAccount)$/)
      }
    })

    it('is told nothing of Secrets by a watch, from its beginning or from long ago', async () => {
      const fromNow = watch('vera', 'shop')
      await fromNow.told('shop-web')
      const { metadata } = await list('vera', 'namespaces/shop/changes')
      await world.run('bob', ['-n', 'shop', 'label', 'secret', 'shop-hidden', 'a=b'])
      await world.run('bob', ['-n', 'shop', 'create', 'secret', 'generic', 'shop-hidden-too'])
      await world.run('bob', ['-n', 'shop', 'label', 'deployment', 'shop-web', 'last=one'])
      await fromNow.told('"one"')
      assert.doesNotMatch(fromNow.output(), /shop-hidden|"Secret"/)
      const query = `watch=true&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=5`
      const { stdout } = await ask('vera', `namespaces/shop/changes?${query}`)
      assert.match(stdout, /"one"/)
      assert.doesNotMatch(stdout, /shop-hidden|"Secret"/)
    })
  })

  describe('a user of one namespace', () => {
    it('is refused every other, all of them and the cluster’s', async () => {
      for (const path of [
        'namespaces/bank/changes',
        'changes',
        'clusterchanges',
        `clusterchanges?${select('metadata.namespace=shop')}`,
        `namespaces/bank/changes?${select('object.namespace=shop')}`,
        `namespaces/bank/changes/${othersChange.metadata?.name}`,
        `clusterchanges/${othersChange.metadata?.name}`,
      ]) {
        const { stdout, stderr, exitCode } = await ask('vera', path)
        assert.deepEqual([exitCode, stdout], [1, ''], path)
        assert.match(stderr, /forbidden/i, path)
        assert.doesNotMatch(stderr, /bank-web/, path)
      }
    })

    it('reaches nothing of another through their own: no selector, name, cursor or resourceVersion leads there', async () => {
      const { object, metadata } = othersChange
      for (const query of [
        select('metadata.namespace=bank'),
        select(`object.uid=${object.uid}`),
        select(`object.name=${object.name}`),
        select('object.resource=deployments', 'object.group=apps', `object.name=${object.name}`),
        select(
          'object.resource=deployments',
          'object.group=apps',
          `object.name=${object.name}`,
          'metadata.namespace=bank',
        ),
        select(`metadata.name=${metadata?.name}`),
      ]) {
        const { items, touched = [], kept = 0 } = await list('vera', `namespaces/shop/changes?${query}`)
        assert.deepEqual([items.length, touched.length, kept], [0, 0, 0], query)
      }
      const byName = await ask('vera', `namespaces/shop/changes/${metadata?.name}`)
      assert.match(byName.stderr, /NotFound/)
      const since = Number(metadata?.resourceVersion) - 1
      const watched = await ask(
        'vera',
        `namespaces/shop/changes?watch=true&resourceVersion=${since}&timeoutSeconds=1`,
      )
      assert.doesNotMatch(watched.stdout, /bank/)
    })
  })

  describe('a namespace that was deleted', () => {
    it('leaves its history to cluster administrators, not to the next owner of its name', async () => {
      await world.ensureNamespace('lent')
      await world.run('alice', ['-n', 'lent', 'create', 'deployment', 'web', '--image=of-before'])
      await world.run('alice', ['-n', 'lent', 'create', 'configmap', 'of-before'])
      await world.settled()
      const earlier = await world.list('lent')
      const cursor = await cursorIn('lent')
      const web = earlier.items.find(({ object }) => object.name === 'web')
      assert.ok(web)
      await deleteNamespace(world.cluster.admin, 'lent')
      await world.ensureNamespace('lent')
      await bind('dora', 'admin', 'lent')
      await world.settled()

      const isOfBefore = ({ object }: Change): boolean => object.namespaceUid === web.object.namespaceUid
      const ofWeb = ['object.resource=deployments', 'object.group=apps', 'object.name=web']
      const queries = [
        '',
        'limit=500',
        `limit=500&continue=${cursor}`,
        'perObject=5',
        select('object.name=web'),
        select('object.name=of-before'),
        select(...ofWeb),
        select(...ofWeb, `object.uid=${web.object.uid}`),
        select(`object.uid=${web.object.uid}`),
        select('state!=pending'),
      ]
      for (const query of queries) {
        const answer = await ask('dora', `namespaces/lent/changes?${query}`)
        assert.equal(answer.exitCode, 0, answer.stderr)
        const { items, touched = [] } = JSON.parse(answer.stdout) as ServedChanges
        const ofBefore: readonly Change[] = items.filter((change) => isOfBefore(change))
        assert.deepEqual([ofBefore.length, touched.length], [0, 0], query)
        assert.doesNotMatch(answer.stdout, /of-before/, query)
      }
      assert.match((await ask('dora', `namespaces/lent/changes/${web.metadata?.name}`)).stderr, /NotFound/)
      const since = earlier.metadata.resourceVersion
      const watched = await ask(
        'dora',
        `namespaces/lent/changes?watch=true&resourceVersion=${since}&timeoutSeconds=1`,
      )
      assert.doesNotMatch(watched.stdout, /of-before/)

      // The same name again: who touched what is told of the new one only.
      await world.run('dora', ['-n', 'lent', 'create', 'deployment', 'web', '--image=of-now'])
      await world.settled()
      const { items, touched = [], kept } = await list('dora', `namespaces/lent/changes?${select(...ofWeb)}`)
      assert.deepEqual(
        [items.length, kept, new Set(touched.map(({ username }) => username))],
        [1, 1, new Set(['dora'])],
      )

      for (const path of ['namespaces/lent/changes', 'clusterchanges']) {
        const { items: all } = await world.cluster.admin.send<ServedChanges>(
          'GET',
          `${API}/${path}?${select('object.name=web', 'object.kind=Deployment')}`,
        )
        const uids = new Set(all.map(({ object }) => object.uid))
        assert.ok(uids.has(web.object.uid), path)
        assert.equal(uids.size, 2, path)
      }
    })

    it('does so too where it went and came while nobody was recording', async function () {
      // A namespace that ends, and two starts of the companion.
      this.timeout(240_000)
      await world.ensureNamespace('unseen')
      for (const name of ['of-before', 'same']) {
        await world.run('alice', ['-n', 'unseen', 'create', 'configmap', name, '--from-literal=a=of-before'])
      }
      await world.settled()
      assert.equal(await world.companion.terminate(), 0)
      await deleteNamespace(world.cluster.admin, 'unseen')
      await world.ensureNamespace('unseen')
      await bind('nora', 'admin', 'unseen')
      await world.run('alice', ['-n', 'unseen', 'create', 'configmap', 'same', '--from-literal=a=of-now'])
      await world.companion.start()
      const ofNow = await world.until(async () => {
        const found = await world.changes('unseen', ['object.name=same', 'operation=CREATE'])
        return found.find((change) => JSON.stringify(change.changes).includes('of-now'))
      }, 'what the next owner made')
      const ends = await world.until(async () => {
        const found = await world.changes('unseen', ['operation=DELETE', 'object.kind=ConfigMap'])
        return ['of-before', 'same'].every((name) => found.some(({ object }) => object.name === name))
          ? found
          : undefined
      }, 'the ends of what was there before')
      for (const { object } of ends) {
        assert.notEqual(object.namespaceUid, ofNow.object.namespaceUid, `${object.name} of the next owner`)
      }
      for (const query of ['', 'perObject=5', select('operation=DELETE'), select('object.name=same')]) {
        const { stdout, exitCode } = await ask('nora', `namespaces/unseen/changes?${query}`)
        assert.equal(exitCode, 0)
        assert.doesNotMatch(stdout, /of-before/, query)
      }
    })
  })

  describe('a right that is withdrawn', () => {
    it('ends the watch, also where it is only the right on one kind', async () => {
      await world.ensureNamespace('given')
      const rule = (...resources: string[]): object => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'reads', namespace: 'given' },
        rules: [
          { apiGroups: ['deckwatch.dev'], resources: ['changes'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: [''], resources, verbs: ['get', 'list', 'watch'] },
        ],
      })
      await world.run('admin', ['apply', '-f', '-'], rule('configmaps', 'secrets'))
      await bind('vic', 'view', 'given')
      const mary = ['create', 'rolebinding', 'mary', '--role=reads', '--user=mary', '-n', 'given']
      await world.run('admin', mary)
      await world.run('alice', ['-n', 'given', 'create', 'configmap', 'seen'])
      await world.run('alice', ['-n', 'given', 'create', 'secret', 'generic', 'seen-secret'])
      await world.settled()
      const [whole, ofSecrets] = [watch('vic', 'given'), watch('mary', 'given')]
      await Promise.all([whole.told('seen'), ofSecrets.told('seen-secret')])
      await world.run('admin', ['-n', 'given', 'delete', 'rolebinding', 'vic-view'])
      await world.run('admin', ['apply', '-f', '-'], rule('configmaps'))
      await Promise.all([whole.ended, ofSecrets.ended])
      await world.run('alice', ['-n', 'given', 'create', 'secret', 'generic', 'later-secret'])
      await world.settled()
      for (const one of [whole, ofSecrets]) assert.doesNotMatch(one.output(), /later-secret/)
      assert.doesNotMatch((await ask('mary', 'namespaces/given/changes')).stdout, /secret/)
      assert.equal((await ask('vic', 'namespaces/given/changes')).exitCode, 1)
    })
  })
})
