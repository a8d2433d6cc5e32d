import assert from 'node:assert/strict'
import {
  DEFAULT_VALUES,
  manifests,
  readValues,
  type DeployValues,
  type KubeObject,
} from '../../../server/deploy/index.ts'
import { auditHistoryMebi } from '../../../server/deploy/audit-log.ts'
import { COMPONENTS } from '../../../server/deploy/components.ts'
import { COMPONENTS as RUNNABLE, type Config } from '../../../server/kit/config/config.ts'
import { readConfig, type ServerCommand } from '../../../server/kit/config/read-config.ts'
import { VALUE_SETS } from './value-sets.ts'

const DAY_MS = 24 * 60 * 60 * 1000

interface Program {
  readonly args: readonly string[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts: readonly { readonly mountPath: string }[]
}

interface PodSpec {
  readonly initContainers?: readonly Program[]
  readonly containers: readonly [Program]
}

describe('what the pods are told', () => {
  for (const [name, sets] of Object.entries(VALUE_SETS)) {
    it(`is what the companion understands: ${name}`, async () => {
      const values = readValues(DEFAULT_VALUES, sets)
      for (const { initContainers = [], containers } of podSpecs(values)) {
        const [program] = containers
        const config = serving(await commandOf(program, values))
        assert.equal(config.namespace, 'deckwatch')
        assert.equal(config.logLevel, values.logLevel)
        assert.equal(config.metricsAuth, values.metrics.auth)
        assert.equal(config.historyMs, values.imageGraph.historyDays * 24 * 60 * 60 * 1000)
        assert.equal(config.historyEvents, values.imageGraph.historyEvents)
        if (values.components.includes('audit-log')) sameAuditLog(config, values)
        const listens: Readonly<Record<string, string>> = {
          api: config.apiAddress,
          peer: config.peerAddress,
          metrics: config.metricsAddress,
        }
        for (const port of program.ports ?? []) assert.equal(listens[port.name], `:${port.containerPort}`)
        for (const init of initContainers) {
          const command = await commandOf(init, values)
          assert.ok(command.kind === 'prepare-data' && command.folder === config.data)
        }
      }
    })
  }

  it('has every room run once, where its data and its token are', async () => {
    for (const sets of [[], ['apiReplicas=2']]) {
      const values = readValues(DEFAULT_VALUES, sets)
      const all: string[] = []
      for (const { containers } of podSpecs(values)) {
        const [program] = containers
        const config = serving(await commandOf(program, values))
        all.push(...config.components)
        const mounts = program.volumeMounts.map(({ mountPath }) => mountPath)
        const rooms = config.components.filter((component) => component !== 'api')
        const apart = !config.components.includes('api')
        assert.equal(mounts.includes(config.data), rooms.length > 0)
        assert.equal(
          mounts.some((path) => config.tokenFile.startsWith(`${path}/`)),
          apart,
        )
        const elsewhere = config.peers.map(({ component }) => component)
        if (!apart) assert.deepEqual([...rooms, ...elsewhere], values.components)
      }
      assert.deepEqual(all.toSorted(), ['api', ...values.components].toSorted())
    }
  })

  it('can name every component that the companion has, and no other', () => {
    const names: readonly string[] = ['api', ...COMPONENTS.map(({ name }) => name)]
    assert.deepEqual(names, RUNNABLE)
  })
})

function sameAuditLog(config: Config, values: DeployValues): void {
  const { auditLog } = values
  assert.deepEqual(config.auditResources, auditLog.resources)
  assert.deepEqual(
    [
      config.auditExcludeUsers,
      config.auditExcludeGroups,
      config.auditExcludeNamespaces,
      config.auditExcludeExtra,
    ],
    [auditLog.exclude.users, auditLog.exclude.groups, auditLog.exclude.namespaces, auditLog.exclude.extra],
  )
  assert.deepEqual(
    [
      config.auditIncludeUsers,
      config.auditIncludeGroups,
      config.auditIncludeNamespaces,
      config.auditIncludeExtra,
    ],
    [auditLog.include.users, auditLog.include.groups, auditLog.include.namespaces, auditLog.include.extra],
  )
  assert.deepEqual(config.auditConditions, auditLog.conditions)
  assert.equal(config.auditAccess, auditLog.access)
  assert.equal(config.auditWatchSecrets, auditLog.watchSecrets)
  assert.deepEqual(config.auditRedact, auditLog.redact)
  assert.equal(config.auditHistoryMs, auditLog.historyDays * DAY_MS)
  assert.equal(config.auditSecretsMs, auditLog.secretsDays * DAY_MS)
  assert.equal(config.auditPerObject, auditLog.perObject)
  assert.equal(config.auditKeepLast, auditLog.keepLast)
  assert.deepEqual(config.auditSize, { bytes: auditHistoryMebi(values) * 2 ** 20 })
  assert.equal(config.auditExport, auditLog.export.url)
  assert.equal(config.auditExportFormat, auditLog.export.format)
  // In its own pods the api's Service leads elsewhere.
  const apart = !config.components.includes('api')
  assert.deepEqual(config.auditService, { name: apart ? 'deckwatch-audit' : '', port: 443 })
  assert.equal(config.auditWebhook, 'deckwatch-audit-log')
}

function podSpecs(values: DeployValues): readonly PodSpec[] {
  return objectsOf(values, 'Deployment').map(
    (object) => (object as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec,
  )
}

async function commandOf({ args }: Program, values: DeployValues): Promise<ServerCommand> {
  const [config] = objectsOf(values, 'ConfigMap')
  assert.ok(config)
  const { 'config.yaml': file } = config['data'] as Record<string, string>
  return readConfig({
    argv: args,
    variables: {},
    readFile: (path) => (path === '/etc/deckwatch/config.yaml' ? (file ?? '') : ''),
    version: '0',
  })
}

function serving(command: ServerCommand): Config {
  assert.ok(command.kind === 'serve')
  return command.config
}

function objectsOf(values: DeployValues, kind: string): readonly KubeObject[] {
  return manifests(values)
    .map(({ object }) => object)
    .filter((object) => object.kind === kind)
}
