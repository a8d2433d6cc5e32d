import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { breaches } from './rules.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the architecture', () => {
  it('holds in this repository', () => {
    const paths = globSync(
      ['src/**/*.ts', 'server/**/*.ts', 'bin/**/*.ts', 'scripts/**/*.ts', 'test/**/*.ts'],
      { cwd: root },
    )
    for (const part of ['src', 'server', 'test']) {
      assert.ok(
        paths.filter((path) => path.startsWith(part)).length > 10,
        `the files of ${part} were not found`,
      )
    }
    const tree = new Map(
      paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(`${root}/${path}`, 'utf8')]),
    )
    assert.deepEqual(breaches(tree), [])
  })
})

describe('a breach of the architecture is found:', () => {
  const doc = '/** A fixture. */\n'
  const cases: readonly (readonly [title: string, files: Record<string, string>, breach: RegExp])[] = [
    [
      'an import that goes uphill',
      { 'src/core/lib/a.ts': `import '../kube/b.ts'`, 'src/core/kube/b.ts': '' },
      /^src\/core\/lib\/a\.ts:1: src\/core\/lib may not import src\/core\/kube$/,
    ],
    [
      'an uphill import of a type',
      { 'src/core/model/a.ts': `\nimport type { B } from '../kube/b.ts'\n${doc}export const a = {} as B` },
      /^src\/core\/model\/a\.ts:2: src\/core\/model may not import src\/core\/kube$/,
    ],
    [
      'an uphill import inside a type',
      { 'src/core/model/a.ts': `${doc}export type A = import('../kube/b.ts').B` },
      /src\/core\/model may not import src\/core\/kube$/,
    ],
    [
      'an uphill import at run time',
      { 'src/core/model/a.ts': `${doc}export const a = () => import('../kube/b.ts')` },
      /src\/core\/model may not import src\/core\/kube$/,
    ],
    [
      'an uphill re-export',
      { 'src/core/model/a.ts': `export * from '../kube/b.ts'` },
      /src\/core\/model may not import src\/core\/kube$/,
    ],
    [
      'a computed import',
      { 'src/core/model/a.ts': `${doc}export const a = (name: string) => import(name)` },
      /computed path/,
    ],
    [
      'a launcher that goes past the commands',
      { 'bin/a.ts': `import '../src/core/lib/b.ts'` },
      /^bin\/a\.ts:1: bin may not import src\/core\/lib$/,
    ],
    [
      'the shell importing a command',
      { 'src/cli/shell/a.ts': `import '../commands/b.ts'` },
      /src\/cli\/shell may not import src\/cli\/commands$/,
    ],
    [
      'the shell importing a feature',
      { 'src/cli/shell/a.ts': `import '../features/images/b.ts'` },
      /src\/cli\/shell may not import src\/cli\/features$/,
    ],
    [
      'rendering that knows Kubernetes',
      { 'src/cli/render/a.ts': `import type { B } from '../../core/model/b.ts'` },
      /src\/cli\/render may not import src\/core\/model$/,
    ],
    [
      'a feature that takes code from the kube layer',
      { 'src/cli/features/images/a.ts': `import { type B } from '../../../core/kube/b.ts'` },
      /src\/cli\/features may import types only from src\/core\/kube$/,
    ],
    [
      'the registry client leaning on the kube layer',
      { 'src/core/registry/a.ts': `import '../kube/b.ts'` },
      /src\/core\/registry may not import src\/core\/kube$/,
    ],
    [
      'a wire type that needs Node',
      { 'src/core/wire/a.ts': `import 'node:crypto'` },
      /src\/core\/wire\/a\.ts:1: data imports no package and nothing of Node$/,
    ],
    [
      'the product importing the server',
      { 'src/core/lib/a.ts': `import '../../../server/kit/b.ts'` },
      /src\/core\/lib may not import server\/kit$/,
    ],
    [
      'another feature than the installer reading the manifests',
      { 'src/cli/features/images/a.ts': `import '../../../../server/deploy/b.ts'` },
      /src\/cli\/features may not import server\/deploy$/,
    ],
    [
      'the installer reading more of the server than the manifests',
      { 'src/cli/features/deckwatch/a.ts': `import '../../../../server/kit/b.ts'` },
      /src\/cli\/features may not import server\/kit$/,
    ],
    [
      'the server importing the command line',
      { 'server/kit/a.ts': `import '../../src/cli/shell/b.ts'` },
      /server\/kit may not import src\/cli\/shell$/,
    ],
    [
      'the kit of the server importing a component',
      { 'server/kit/api/a.ts': `import type { B } from '../../image-graph/index.ts'` },
      /server\/kit may not import server\/image-graph$/,
    ],
    [
      'the kit of the server importing the composition root',
      { 'server/kit/a.ts': `import type { B } from '../main.ts'` },
      /server\/kit may not import server\/main$/,
    ],
    [
      'a component importing another',
      { 'server/audit-log/a.ts': `import type { B } from '../image-graph/index.ts'` },
      /server\/audit-log may not import server\/image-graph$/,
    ],
    [
      'a component reading the manifests',
      { 'server/image-graph/a.ts': `import '../deploy/values.ts'` },
      /server\/image-graph may not import server\/deploy$/,
    ],
    [
      'the composition root reaching into a component',
      { 'server/main.ts': `import '../server/image-graph/image-journal.ts'` },
      /server\/main may import index\.ts only from server\/image-graph$/,
    ],
    [
      'the composition root reading the manifests',
      { 'server/main.ts': `import './deploy/values.ts'` },
      /server\/main may not import server\/deploy$/,
    ],
    [
      'manifests that take more of a component than its rights',
      { 'server/deploy/a.ts': `import type { B } from '../image-graph/index.ts'` },
      /server\/deploy may import the rights\.ts of others only, not server\/image-graph\/index\.ts$/,
    ],
    [
      'manifests that lean on the core',
      { 'server/deploy/a.ts': `import '../../src/core/lib/yaml.ts'` },
      /server\/deploy may import the rights\.ts of others only, not src\/core\/lib\/yaml\.ts$/,
    ],
    [
      'manifests that need Node',
      { 'server/deploy/a.ts': `import 'node:fs'` },
      /server\/deploy\/a\.ts:1: data imports no package and nothing of Node$/,
    ],
    [
      'rights that lean on their component',
      { 'server/image-graph/rights.ts': `import type { A } from './config.ts'` },
      /rights\.ts imports nothing$/,
    ],
    [
      'rights that need Node',
      { 'server/kit/api/rights.ts': `import 'node:os'` },
      /rights\.ts:1: data imports no package and nothing of Node$/,
    ],
    ['a component that nobody agreed on', { 'server/plugins/a.ts': '' }, /lies in no room of the design$/],
    [
      'the database outside its door',
      { 'server/image-graph/image-journal.ts': `import { DatabaseSync } from 'node:sqlite'` },
      /node:sqlite may be imported in server\/kit\/store only$/,
    ],
    [
      'the database in the product of the command line, be it types',
      { 'src/core/lib/a.ts': `import type { DatabaseSync } from 'node:sqlite'` },
      /node:sqlite may be imported in server\/kit\/store only$/,
    ],
    [
      'metrics outside their door',
      { 'server/image-graph/metrics.ts': `import { Gauge } from 'prom-client'` },
      /prom-client may be imported in server\/kit\/metrics\.ts only$/,
    ],
    [
      'the log outside its door',
      { 'server/kit/metrics.ts': `import 'pino'` },
      /pino may be imported in server\/kit\/log\.ts only$/,
    ],
    [
      'certificates outside their door',
      { 'server/kit/api/a.ts': `import '@peculiar/x509'` },
      /@peculiar\/x509 may be imported in server\/kit\/tls only$/,
    ],
    [
      'a schema of settings outside its door',
      { 'server/image-graph/config.ts': `import { z } from 'zod/mini'` },
      /zod may be imported in server\/kit\/config only$/,
    ],
    [
      'mutable state in a module of the server',
      { 'server/kit/a.ts': 'let a = 1' },
      /^server\/kit\/a\.ts:1 keeps mutable state in the module$/,
    ],
    [
      'a file of the server that says nothing',
      { 'server/kit/helpers.ts': '' },
      /"helpers" does not say what it holds$/,
    ],
    [
      'the product importing a test',
      { 'src/core/lib/a.ts': `import '../../../test/kit/b.ts'` },
      /src\/core\/lib may not import test\/kit\/b\.ts$/,
    ],
    [
      'the product importing a script',
      { 'src/core/lib/a.ts': `import '../../../scripts/b.ts'` },
      /src\/core\/lib may not import scripts\/b\.ts$/,
    ],
    ['a file outside all rooms', { 'src/core/a.ts': '' }, /^src\/core\/a\.ts lies in no room of the design$/],
    [
      'oclif outside its door',
      { 'src/cli/features/images/a.ts': `import { Flags } from '@oclif/core'` },
      /@oclif\/core may be imported in src\/cli\/commands, src\/cli\/shell only$/,
    ],
    [
      'chalk outside its door',
      { 'src/cli/commands/a.ts': `import chalk from 'chalk'` },
      /chalk may be imported in src\/cli\/render only$/,
    ],
    [
      'cli-table3 outside its door',
      { 'src/cli/commands/a.ts': `import Table from 'cli-table3'` },
      /cli-table3 may be imported in src\/cli\/render only$/,
    ],
    [
      'yaml beside its door',
      { 'src/core/lib/yaml.ts': `import 'yaml'`, 'src/core/lib/text.ts': `import 'yaml'` },
      /^src\/core\/lib\/text\.ts:1: yaml may be imported in src\/core\/lib\/yaml\.ts only$/,
    ],
    [
      'a package that nobody agreed on',
      { 'src/core/lib/a.ts': `import merge from 'lodash/merge'` },
      /lodash is no dependency of the product$/,
    ],
    [
      'the Kubernetes client loaded at start',
      { 'src/core/kube/a.ts': `import { KubeConfig } from '@kubernetes/client-node'` },
      /@kubernetes\/client-node is loaded by one lazy door/,
    ],
    [
      'a second door to the Kubernetes client',
      {
        'src/core/kube/a.ts': `${doc}export const a = () => import('@kubernetes/client-node')`,
        'src/core/kube/b.ts': `${doc}export const b = () => import('@kubernetes/client-node')`,
      },
      /has 2 doors: src\/core\/kube\/a\.ts, src\/core\/kube\/b\.ts$/,
    ],
    [
      'a cycle, also of types and also in tests',
      {
        'test/kit/a.ts': `import './b.ts'`,
        'test/kit/b.ts': `import type { C } from './c.ts'`,
        'test/kit/c.ts': `import './a.ts'`,
      },
      /^cycle: test\/kit\/a\.ts → test\/kit\/b\.ts → test\/kit\/c\.ts → test\/kit\/a\.ts$/,
    ],
    ['a file that says nothing', { 'src/core/lib/utils.ts': '' }, /"utils" does not say what it holds$/],
    ['a folder that says nothing', { 'test/helpers/a.test.ts': '' }, /"helpers" does not say what it holds$/],
    ['a name that is not kebab-case', { 'src/core/lib/textWidth.ts': '' }, /"textWidth" is not kebab-case$/],
    [
      'an export without a doc comment',
      { 'src/core/lib/a.ts': `${doc}export const a = 1\n// no doc\nexport function b() {}` },
      /^src\/core\/lib\/a\.ts:4 exports b without a doc comment$/,
    ],
    [
      'an exported type without a doc comment',
      { 'src/core/lib/a.ts': 'export interface A {}' },
      /exports A without a doc comment$/,
    ],
    [
      'mutable state in a module',
      { 'src/core/lib/a.ts': `\n${doc}export let a = 1` },
      /^src\/core\/lib\/a\.ts:3 keeps mutable state in the module$/,
    ],
    [
      'a file that is too long',
      { 'src/core/lib/a.ts': '\n'.repeat(450) + 'void 0' },
      /has 451 lines, 450 are the limit$/,
    ],
  ]
  for (const [title, files, breach] of cases) {
    it(title, () => {
      const found = breaches(new Map(Object.entries(files)))
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', breach)
    })
  }

  it('and what the design allows is not', () => {
    const sound = {
      'bin/deckwatch.ts': `import '../src/cli/commands/main.ts'`,
      'src/cli/commands/main.ts': [
        `import { Command } from '@oclif/core'`,
        `import '../shell/failure.ts'`,
        `import '../features/images/list.ts'`,
        `import '../render/table.ts'`,
        `import '../../core/kube/transport.ts'`,
      ].join('\n'),
      'src/cli/shell/failure.ts': `import '../../core/lib/errors.ts'`,
      'src/cli/features/images/list.ts': `import type { T } from '../../../core/kube/transport.ts'\nimport './row.ts'`,
      'src/cli/features/images/row.ts': `import '../../../core/model/image.ts'`,
      'src/cli/render/table.ts': `import chalk from 'chalk'\nimport '../../core/wire/pod.ts'`,
      'src/core/kube/transport.ts': `import 'node:https'\nimport type { V1Pod } from '@kubernetes/client-node'`,
      'src/core/kube/provider.ts': `${doc}export const load = () => import('@kubernetes/client-node')`,
      'src/core/model/image.ts': `import '../lib/errors.ts'\nimport type { Pod } from '../wire/pod.ts'`,
      'src/core/lib/errors.ts': `import '../wire/pod.ts'`,
      'src/core/wire/pod.ts': `import type { Node } from './node.ts'`,
      'src/cli/features/deckwatch/install.ts': `import '../../../../server/deploy/manifests.ts'`,
      'src/cli/commands/deckwatch/install.ts': `import type { V } from '../../../../server/deploy/values.ts'`,
      'server/main.ts': [
        `import './image-graph/index.ts'`,
        `import './kit/store/open-store.ts'`,
        `import '../src/core/kube/connect.ts'`,
        `import type { R } from 'prom-client'`,
      ].join('\n'),
      'server/image-graph/index.ts': `import './rights.ts'\nimport '../kit/room.ts'\nimport '../../src/core/model/image.ts'`,
      'server/image-graph/rights.ts': '',
      'server/kit/room.ts': `import type { DatabaseSync } from 'node:sqlite'\nimport '../../src/core/wire/pod.ts'`,
      'server/kit/store/open-store.ts': `import 'node:sqlite'\nimport '../log.ts'`,
      'server/kit/log.ts': `import { pino } from 'pino'`,
      'server/deploy/values.ts': '',
      'server/deploy/manifests.ts': `import 'node:crypto'\nimport './values.ts'\nimport '../image-graph/rights.ts'\nimport '../kit/api/rights.ts'`,
      'src/core/wire/node.ts': `${doc}export function f(a: string): void\nexport function f(a: number): void\nexport function f() {}`,
    }
    assert.deepEqual(breaches(new Map(Object.entries(sound))), [])
  })
})
