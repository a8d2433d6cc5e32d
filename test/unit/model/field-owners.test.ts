import assert from 'node:assert/strict'
import { parseFieldsElement } from '../../../src/core/model/field-owners-element.ts'
import { fieldOwners, type OwnedField } from '../../../src/core/model/field-owners.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/core/wire/admission-review.ts'

type Fields = Readonly<Record<string, unknown>>

const entry = (
  manager: string,
  fieldsV1: Fields | null,
  rest: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  apiVersion: 'apps/v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  time: '2026-11-21T11:00:00Z',
  ...rest,
})

function ownersOf(...entries: readonly ManagedFieldsEntry[]): OwnedField {
  const owned = fieldOwners({ metadata: { managedFields: entries } })
  assert.ok(owned)
  return owned
}

const names = ({ owners }: OwnedField): string[] => owners.map(({ manager }) => manager)
const at = (owned: OwnedField, ...path: string[]): OwnedField =>
  path.reduce((inner, name) => inner.field(name), owned)
const namesOfItems = (owned: OwnedField, list: readonly unknown[]): string[][] => owned.items(list).map(names)

describe('Elements of FieldsV1', () => {
  it('are fields, list entries by one or several keys, set values, places and the thing itself', () => {
    assert.deepEqual(parseFieldsElement('f:app.kubernetes.io/name'), {
      type: 'field',
      name: 'app.kubernetes.io/name',
    })
    assert.deepEqual(parseFieldsElement('k:{"containerPort":80,"protocol":"TCP"}'), {
      type: 'entry',
      keys: { containerPort: 80, protocol: 'TCP' },
    })
    assert.deepEqual(parseFieldsElement('v:"example.org/keep"'), { type: 'value', value: 'example.org/keep' })
    assert.deepEqual(parseFieldsElement('i:3'), { type: 'index', index: 3 })
    assert.deepEqual(parseFieldsElement('.'), { type: 'self' })
  })

  it('of later versions, or broken, are none', () => {
    for (const text of ['x:new', 'k:{"name"', 'k:["a"]', 'k:null', 'v:', 'i:-1', 'i:a', 'f', '']) {
      assert.equal(parseFieldsElement(text), undefined, text)
    }
  })
})

describe('Owners of fields', () => {
  it('are the managers whose entries name the field', () => {
    const owned = ownersOf(
      entry('kubectl-create', { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } }),
      entry('kubectl-edit', { 'f:spec': { 'f:template': { 'f:spec': { 'f:dnsPolicy': {} } } } }),
    )
    assert.deepEqual(names(at(owned, 'spec', 'replicas')), ['kubectl-create'])
    assert.deepEqual(names(at(owned, 'spec', 'template', 'spec', 'dnsPolicy')), ['kubectl-edit'])
  })

  it('carry operation, subresource and time', () => {
    const owned = ownersOf(
      entry('kubelet', { 'f:status': { 'f:phase': {} } }, { subresource: 'status' }),
      entry('argocd-controller', { 'f:spec': { 'f:paused': {} } }, { operation: 'Apply' }),
    )
    assert.deepEqual(at(owned, 'status', 'phase').owners, [
      {
        manager: 'kubelet',
        operation: 'Update',
        subresource: 'status',
        time: Date.parse('2026-11-21T11:00:00Z'),
      },
    ])
    assert.equal(at(owned, 'spec', 'paused').owners[0]?.operation, 'Apply')
  })

  it('are all co-owners, the newest first (kubectl-blame #11, kubectl-fields #38)', () => {
    const fields = { 'f:spec': { 'f:replicas': {} } }
    const owned = ownersOf(
      entry('old', fields, { time: '2026-11-20T00:00:00Z' }),
      entry('timeless', fields, { time: null }),
      entry('new', fields, { time: '2026-11-21T00:00:00Z' }),
    )
    assert.deepEqual(names(at(owned, 'spec', 'replicas')), ['new', 'old', 'timeless'])
  })

  it('may be one manager twice, by Apply and by Update, and by subresource', () => {
    const fields = { 'f:spec': { 'f:replicas': {} } }
    const owned = ownersOf(
      entry('kubectl', fields, { operation: 'Apply' }),
      entry('kubectl', fields, { subresource: 'scale', time: '2026-11-20T00:00:00Z' }),
    )
    const [first, second] = at(owned, 'spec', 'replicas').owners
    assert.deepEqual([first?.operation, second?.subresource], ['Apply', 'scale'])
  })

  it('have no time where the entry has none, null or nonsense (kubectl-blame #10, k/k#127938)', () => {
    const fields = { 'f:spec': { 'f:replicas': {} } }
    const { time: _, ...timeless } = entry('c', fields)
    for (const one of [timeless, entry('a', fields, { time: null }), entry('b', fields, { time: 'soon' })]) {
      const owned = ownersOf(one)
      assert.equal(at(owned, 'spec', 'replicas').owners[0]?.time, undefined)
    }
  })

  it('of set values such as finalizers are found by the value (kubectl-blame #3)', () => {
    const owned = ownersOf(
      entry('web-operator', { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"example.org/a"': {} } } }),
      entry('other-operator', { 'f:metadata': { 'f:finalizers': { 'v:"example.org/b"': {} } } }),
    )
    const finalizers = at(owned, 'metadata', 'finalizers')
    assert.deepEqual(names(finalizers), ['web-operator'])
    assert.deepEqual(namesOfItems(finalizers, ['example.org/b', 'example.org/c', 'example.org/a']), [
      ['other-operator'],
      [],
      ['web-operator'],
    ])
  })

  it('of a list’s entry are those of the entry itself, not of the list (kubectl-blame #20)', () => {
    const owned = ownersOf(
      entry('lister', { 'f:containers': { '.': {} } }),
      entry('adder', { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } } }),
      entry('setter', { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } }),
    )
    const [app] = at(owned, 'containers').items([{ name: 'app', image: 'nginx', tty: false }])
    assert.ok(app)
    assert.deepEqual(names(app), ['adder'])
    assert.deepEqual(names(app.field('name')), ['adder'])
    assert.deepEqual(names(app.field('image')).toSorted(), ['adder', 'setter'])
    assert.deepEqual(names(app.field('tty')), [])
  })

  it('follow an entry to wherever it stands in the list', () => {
    const owned = ownersOf(
      entry('a', { 'f:containers': { 'k:{"name":"one"}': { '.': {}, 'f:name': {} } } }),
      entry('b', { 'f:containers': { 'k:{"name":"two"}': { '.': {}, 'f:name': {} } } }),
    )
    const containers = at(owned, 'containers')
    assert.deepEqual(namesOfItems(containers, [{ name: 'two' }, { name: 'three' }, { name: 'one' }]), [
      ['b'],
      [],
      ['a'],
    ])
  })

  describe('of entries with several keys', () => {
    const ports = at(
      ownersOf(
        entry('web', { 'f:ports': { 'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } }),
        entry('dns', { 'f:ports': { 'k:{"port":53,"protocol":"UDP"}': { '.': {}, 'f:port': {} } } }),
      ),
      'ports',
    )

    it('are told apart by all of them', () => {
      assert.deepEqual(
        namesOfItems(ports, [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ]),
        [['dns'], ['web']],
      )
    })

    it('are found where the object leaves out a key that has a default', () => {
      assert.deepEqual(namesOfItems(ports, [{ port: 53, protocol: 'UDP' }, { port: 53 }]), [['dns'], ['web']])
    })

    it('are found where the entry of managedFields leaves it out, or has null', () => {
      for (const key of ['k:{"port":80}', 'k:{"port":80,"protocol":null}']) {
        const owned = ownersOf(entry('web', { 'f:ports': { [key]: { '.': {}, 'f:port': {} } } }))
        assert.deepEqual(namesOfItems(at(owned, 'ports'), [{ port: 80, protocol: 'TCP' }]), [['web']])
      }
    })

    it('are nobody where several entries could be meant', () => {
      const owned = ownersOf(
        entry('web', {
          'f:ports': { 'k:{"port":80}': { '.': {} }, 'k:{"port":53,"protocol":"TCP"}': { '.': {} } },
        }),
      )
      const list = [
        { port: 80, protocol: 'TCP' },
        { port: 80, protocol: 'UDP' },
      ]
      assert.deepEqual(namesOfItems(at(owned, 'ports'), list), [[], []])
    })

    it('do not go to an entry that agrees in the default only', () => {
      assert.deepEqual(
        namesOfItems(ports, [{ port: 54, protocol: 'TCP' }, { protocol: 'TCP' }, 'text', null]),
        [[], ['web'], [], []],
      )
    })
  })

  it('of places in a list are found by the place', () => {
    const owned = ownersOf(entry('a', { 'f:steps': { 'i:1': {} } }))
    assert.deepEqual(namesOfItems(at(owned, 'steps'), ['x', 'y']), [[], ['a']])
  })

  it('of an atomic list own all of it', () => {
    const owned = ownersOf(entry('kubectl-create', { 'f:command': {} }))
    const command = at(owned, 'command')
    assert.deepEqual(namesOfItems(command, ['sh', '-c']), [['kubectl-create'], ['kubectl-create']])
  })

  it('of an atomic map own all of it, however deep', () => {
    const owned = ownersOf(entry('argocd-controller', { 'f:selector': {} }, { operation: 'Apply' }))
    assert.deepEqual(names(at(owned, 'selector', 'matchLabels', 'app')), ['argocd-controller'])
    const updated = ownersOf(entry('operator', { 'f:custom': {} }))
    assert.deepEqual(names(at(updated, 'custom', 'inner')), ['operator'])
  })

  it('of a map that was applied empty do not own the defaults that came into it', () => {
    const owned = ownersOf(entry('argocd-controller', { 'f:strategy': {} }, { operation: 'Apply' }))
    assert.deepEqual(names(at(owned, 'strategy')), ['argocd-controller'])
    assert.deepEqual(names(at(owned, 'strategy', 'type')), [])
  })

  it('of an empty map do not own what others put into it later', () => {
    const owned = ownersOf(
      entry('first', { 'f:labels': {} }),
      entry('second', { 'f:labels': { 'f:app': {} } }),
    )
    const labels = at(owned, 'labels')
    assert.deepEqual(
      [names(labels), names(labels.field('app')), names(labels.field('tier'))],
      [['first'], ['second'], []],
    )
  })

  it('are not inherited by a field that nobody owns', () => {
    const owned = ownersOf(
      entry('kubectl-create', { 'f:spec': { '.': {}, 'f:template': { '.': {}, 'f:spec': { 'f:x': {} } } } }),
    )
    assert.deepEqual(names(at(owned, 'spec')), ['kubectl-create'])
    assert.deepEqual(names(at(owned, 'spec', 'template', 'spec')), [])
    assert.deepEqual(names(at(owned, 'spec', 'template', 'spec', 'dnsPolicy')), [])
    assert.deepEqual(names(at(owned, 'spec', 'replicas')), [])
    assert.deepEqual(names(at(owned, 'apiVersion')), [])
  })

  it('survive elements that nobody knows yet, beside those that are known (kubectl-blame: unknown element)', () => {
    const owned = ownersOf(
      entry('a', {
        'f:spec': { 'z:new': { 'f:x': {} }, 'k:{broken': {}, 'f:replicas': {}, 'f:odd': 'text' },
        'f:tokens': { 'z:new': {} },
      }),
    )
    assert.deepEqual(names(at(owned, 'spec', 'replicas')), ['a'])
    // What is inside cannot be read: nobody is said to own the list as a whole.
    assert.deepEqual(names(at(owned, 'tokens')), [])
    assert.deepEqual(namesOfItems(at(owned, 'tokens'), ['t']), [[]])
  })

  it('are none of an entry without fields, which is no fault (kubectl-blame: nil FieldsV1)', () => {
    const { fieldsV1: _, ...bare } = entry('b', {})
    const owned = ownersOf(entry('a', null), bare, entry('c', { 'f:spec': { 'f:x': {} } }))
    assert.deepEqual(names(owned), [])
    assert.deepEqual(names(at(owned, 'spec', 'x')), ['c'])
  })

  it('are names of prototypes only where the object has such fields', () => {
    const owned = ownersOf(entry('a', { 'f:spec': { 'f:constructor': {} } }))
    assert.deepEqual(names(at(owned, 'spec', 'constructor')), ['a'])
    assert.deepEqual(names(at(owned, 'spec', 'toString')), [])
    assert.deepEqual(namesOfItems(at(owned, 'spec'), [{ constructor: 1 }]), [[]])
  })

  it('are not known of an object without managedFields, however that looks', () => {
    const without: readonly KubernetesObject[] = [
      {},
      { metadata: {} },
      { metadata: { managedFields: null } },
      { metadata: { managedFields: [] } },
    ]
    for (const object of without) assert.equal(fieldOwners(object), undefined)
  })
})
