import assert from 'node:assert/strict'
import {
  localObjects,
  ownerlessNote,
  type LocalSources,
} from '../../../src/cli/features/blame/local-input.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

const { signal } = new AbortController()

const file = (text: string): LocalSources => ({
  readFile: (path) => {
    if (path !== 'web.yaml') throw new Error(`ENOENT: no such file, open '${path}'`)
    return Promise.resolve(text)
  },
  stdin: { isTerminal: true, read: () => Promise.reject(new Error('stdin must not be read')) },
})
const piped = (text: string): LocalSources => ({
  readFile: () => Promise.reject(new Error('no file must be read')),
  stdin: { isTerminal: false, read: () => Promise.resolve(text) },
})

const names = async (text: string): Promise<string[]> =>
  (await localObjects('web.yaml', file(text), signal)).map(
    ({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata?.name}`,
  )

const refused = (run: Promise<unknown>, message: RegExp, hint?: RegExp): Promise<void> =>
  assert.rejects(run, (error: unknown) => {
    assert.ok(error instanceof DeckError)
    assert.equal(error.code, 'USAGE')
    assert.match(error.message, message)
    if (hint) assert.match(error.hint ?? '', hint)
    return true
  })

const WEB = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n'
const APP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n'

describe('Objects from a file or stdin', () => {
  it('are read from YAML, of one or several documents', async () => {
    assert.deepEqual(await names(WEB), ['apps/v1 Deployment web'])
    assert.deepEqual(await names(`---\n${WEB}---\n# nothing\n---\n${APP}`), [
      'apps/v1 Deployment web',
      'v1 ConfigMap app',
    ])
  })

  it('are read from JSON, also with a byte order mark', async () => {
    const json = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"app"}}'
    assert.deepEqual(await names(json), ['v1 ConfigMap app'])
    assert.deepEqual(await names(`\ufeff\n${json}\n`), ['v1 ConfigMap app'])
    assert.deepEqual(await names('{apiVersion: v1, kind: ConfigMap, metadata: {name: app}}'), [
      'v1 ConfigMap app',
    ])
  })

  it('come out of lists, those of one type with the type of the list (kubectl-blame #18, #43)', async () => {
    const list = (kind: string, apiVersion: string, items: unknown[]): string =>
      JSON.stringify({ kind, apiVersion, items, metadata: { resourceVersion: '' } })
    const mixed = list('List', 'v1', [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
      { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }] },
    ])
    assert.deepEqual(await names(mixed), ['apps/v1 Deployment web', 'v1 Pod p'])
    const typed = list('DeploymentList', 'apps/v1', [
      { metadata: { name: 'a' } },
      { metadata: { name: 'b' } },
    ])
    assert.deepEqual(await names(typed), ['apps/v1 Deployment a', 'apps/v1 Deployment b'])
  })

  it('may be of a kind that only is called a list', async () => {
    const allowed = '{"apiVersion":"x.dev/v1","kind":"AllowList","metadata":{"name":"a"},"items":["b"]}'
    assert.deepEqual(await names(allowed), ['x.dev/v1 AllowList a'])
  })

  it('keep their managedFields', async () => {
    const [web] = await localObjects(
      '-',
      piped(`${WEB}  managedFields:\n  - manager: helm\n    fieldsV1:\n      f:spec: {}\n`),
      signal,
    )
    assert.equal(web?.metadata?.managedFields?.[0]?.manager, 'helm')
  })

  it('are not waited for at a terminal, and an empty stdin is said to be empty', async () => {
    const atTerminal: LocalSources = { ...piped(''), stdin: file('').stdin }
    await refused(
      localObjects('-', atTerminal, signal),
      /nothing is piped/,
      /--show-managed-fields \| kubectl blame -i -/,
    )
    await refused(localObjects('-', piped(''), signal), /stdin, which is empty/, /--show-managed-fields/)
    await refused(localObjects('-', piped(' \n\n'), signal), /stdin, which is empty/)
  })

  it('are refused where there is none, and the text says why', async () => {
    const cases: readonly (readonly [text: string, message: RegExp])[] = [
      ['', /web\.yaml is empty/],
      ['# only a comment\n---\n', /web\.yaml is empty/],
      ['just words\n', /web\.yaml is no Kubernetes object: it is no map/],
      ['- a\n', /it is a list/],
      ['a: 1\n', /it has no kind/],
      [`${WEB}---\na: 1\n`, /document 2 of web\.yaml is no Kubernetes object/],
      ['{"kind":"List","items":[]}', /holds no object: its list is empty/],
      ['{"kind":"List","items":[1]}', /item 1 of web\.yaml is no Kubernetes object/],
      ['a: b: c\n', /web\.yaml is neither YAML nor JSON: .*\(line 1\)/],
      ['{"a": [1,\n2', /web\.yaml is neither YAML nor JSON: .*\(line 2\)/],
    ]
    for (const [text, message] of cases) await refused(names(text), message)
    await refused(localObjects('gone.yaml', file(''), signal), /cannot read -i gone\.yaml: ENOENT/)
    await refused(localObjects('', file(''), signal), /-i needs a FILE/)
  })

  it('are no longer read when the command is ended', async () => {
    const ended = new AbortController()
    const reason = new Error('Ctrl-C')
    const waiting: LocalSources = {
      ...file(''),
      readFile: (_, reading) => {
        ended.abort(reason)
        return Promise.reject(reading.reason as Error)
      },
    }
    await assert.rejects(localObjects('web.yaml', waiting, ended.signal), reason)
  })
})

describe('The word on objects without managedFields', () => {
  const owned = { kind: 'Pod', metadata: { name: 'p', managedFields: [{ manager: 'kubelet' }] } }
  const bare = { kind: 'Deployment', metadata: { name: 'web', managedFields: null } }

  it('names them and what writes managedFields', () => {
    assert.match(ownerlessNote([bare]) ?? '', /^Deployment web has no managedFields.*--show-managed-fields/)
    assert.match(
      ownerlessNote([bare, owned, { kind: 'Job' }]) ?? '',
      /^Deployment web and 1 more of 3 have no/,
    )
  })

  it('is not said where all have them', () => {
    assert.equal(ownerlessNote([owned]), undefined)
    assert.equal(ownerlessNote([]), undefined)
  })
})
