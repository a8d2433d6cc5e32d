import assert from 'node:assert/strict'
import type { Config } from '../../../server/kit/config/config.ts'
import { readConfig, type ServerCommand } from '../../../server/kit/config/read-config.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

interface Given {
  readonly argv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly file?: string
}

function read({ argv = [], env = {}, file }: Given): Promise<ServerCommand> {
  return readConfig({
    argv: file === undefined ? argv : ['--config', '/etc/deckwatch/config.yaml', ...argv],
    variables: env,
    readFile: (path) => {
      if (file === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
      return file
    },
    version: '1.2.3',
  })
}

async function config(given: Given): Promise<Config> {
  const command = await read(given)
  assert.equal(command.kind, 'serve')
  return command.kind === 'serve' ? command.config : assert.fail()
}

async function problems(given: Given): Promise<string[]> {
  try {
    await read(given)
  } catch (error) {
    assert.ok(error instanceof DeckError, String(error))
    assert.equal(error.exitCode, 2)
    return error.message.split('\n')
  }
  return assert.fail('nothing was wrong')
}

describe('the configuration', () => {
  it('is complete without a word', async () => {
    assert.deepEqual(await config({}), {
      components: ['api', 'image-graph'],
      peers: [],
      namespace: '',
      service: 'deckwatch',
      podName: '',
      kubeconfig: '',
      context: '',
      data: '/data',
      apiAddress: ':10250',
      peerAddress: ':10251',
      metricsAddress: ':8080',
      metricsAuth: false,
      tokenFile: '/var/run/secrets/deckwatch/token',
      leafUrl: '',
      peerAccounts: ['deckwatch'],
      apiService: 'v1alpha1.deckwatch.dev',
      logLevel: 'info',
      historyMs: 7 * 24 * 3_600_000,
      historyEvents: 200_000,
      historyBytes: 256 * 1024 * 1024,
      store: '',
      auditResources: [],
      auditExcludeUsers: [],
      auditExcludeGroups: [],
      auditExcludeNamespaces: [],
      auditExcludeExtra: [],
      auditIncludeUsers: [],
      auditIncludeGroups: [],
      auditIncludeNamespaces: [],
      auditIncludeExtra: [],
      auditConditions: [],
      auditAccess: false,
      auditWatchSecrets: false,
      auditRedact: [],
      auditHistoryMs: 30 * 24 * 3_600_000,
      auditSecretsMs: 7 * 24 * 3_600_000,
      auditPerObject: 100,
      auditKeepLast: 10,
      auditSize: { share: 0.8 },
      auditJournalBytes: 256 * 1024 * 1024,
      auditService: { name: '', port: 443 },
      auditWebhook: 'deckwatch-audit-log',
      auditExport: '',
      auditExportFormat: 'otlp',
      auditExportHeaders: {},
      watches: 500,
      watchesPerUser: 100,
      requestsPerSecond: 20,
      shutdownGraceMs: 20_000,
    })
  })

  it('takes a flag before a variable, that before the file, and that before the default', async () => {
    const file = 'service: from-file\ndata: /from-file\nlog-level: debug\nhistory-days: 3\n'
    const env = { DECKWATCH_SERVICE: 'from-env', DECKWATCH_DATA: '/from-env' }
    const { service, data, logLevel, historyMs, historyEvents } = await config({
      argv: ['--service=from-flag'],
      env,
      file,
    })
    assert.deepEqual(
      [service, data, logLevel, historyMs, historyEvents],
      ['from-flag', '/from-env', 'debug', 3 * 24 * 3_600_000, 200_000],
    )
  })

  it('reads lists, switches, sizes, durations and addresses', async () => {
    const flags = await config({
      argv: (
        '--components api --peers image-graph=deckwatch-data.deckwatch.svc:10251 --metrics-auth --history-size 1Gi ' +
        '--shutdown-grace 1m30s --metrics-address= --api-address [::1]:0 --api-service='
      ).split(' '),
    })
    assert.deepEqual(flags.peers, [
      { component: 'image-graph', host: 'deckwatch-data.deckwatch.svc', port: 10_251 },
    ])
    assert.deepEqual(
      [flags.metricsAuth, flags.historyBytes, flags.shutdownGraceMs, flags.metricsAddress, flags.apiAddress],
      [true, 2 ** 30, 90_000, '', '[::1]:0'],
    )
    const file =
      'components: [image-graph]\nmetrics-auth: false\npeer-accounts:\n- deckwatch\n- deckwatch-x\n'
    const { components, peerAccounts } = await config({ file })
    assert.deepEqual([components, peerAccounts], [['image-graph'], ['deckwatch', 'deckwatch-x']])
  })

  it('does not mind the variables that Kubernetes makes for a Service of its name', async () => {
    const env = { DECKWATCH_SERVICE_HOST: '10.0.0.1', DECKWATCH_PORT: 'tcp://10.0.0.1:443' }
    assert.equal((await config({ env })).service, 'deckwatch')
  })

  it('says everything that is wrong at once, each with what is allowed and where it stands', async () => {
    assert.deepEqual(
      await problems({
        argv: ['--components', 'api,blame', '--log-level=loud', '--colour', 'red', '--data', 'serve', 'now'],
        env: { DECKWATCH_API_ADDRESS: '10250', DECKWATCH_HISTORY_SIZE: '1kB' },
        file: 'history-days: 0\nhistroy-days: 3\nservice: {name: x}\n',
      }),
      [
        '"now": there is no such command, only prepare-data',
        '--service: a text, number, true or false, or a list of such (from file /etc/deckwatch/config.yaml)',
        '--histroy-days "3": there is no such setting; --help lists them (from file /etc/deckwatch/config.yaml)',
        '--colour "red": there is no such setting; --help lists them (from flag)',
        '--components "api,blame": one or more of api, image-graph, audit-log, each once, with commas between (from flag)',
        '--api-address "10250": HOST:PORT or :PORT, such as :10250; empty switches it off (from env DECKWATCH_API_ADDRESS)',
        '--log-level "loud": one of debug, info, warn, error (from flag)',
        '--history-days "0": a whole number from 1 to 3650 (from file /etc/deckwatch/config.yaml)',
        '--history-size "1kB": a size of at least 1Mi, such as 256Mi or 1Gi (from env DECKWATCH_HISTORY_SIZE)',
      ],
    )
  })

  const refused: readonly (readonly [setting: string, value: string])[] = [
    ['components', ''],
    ['components', 'api,api'],
    ['peers', 'image-graph'],
    ['peers', 'image-graph=host:0'],
    ['peers', 'api=host:1'],
    ['namespace', 'Deck_Watch'],
    ['service', ''],
    ['pod-name', 'a b'],
    ['data', ''],
    ['api-address', ':65536'],
    ['api-address', 'a:b:1'],
    ['metrics-address', 'http://x:1'],
    ['metrics-auth', 'yes'],
    ['leaf-url', 'http://deckwatch:443'],
    ['peer-accounts', 'a b'],
    ['api-service', 'V1'],
    ['history-days', '7d'],
    ['history-events', '-1'],
    ['history-size', '1Ki'],
    ['audit-resources', 'certificates'],
    ['audit-exclude-extra', 'scopes'],
    ['audit-conditions', '[{"name":"a"}]'],
    ['audit-size', '0%'],
    ['audit-redact', 'secrets'],
    ['audit-service', 'deckwatch:70000'],
    ['audit-export-format', 'syslog'],
    ['watches', '0'],
    ['watches-per-user', 'many'],
    ['requests-per-second', '-1'],
    ['shutdown-grace', '2h'],
    ['shutdown-grace', 'soon'],
  ]
  for (const [setting, value] of refused) {
    it(`refuses --${setting} "${value}" from each source`, async () => {
      const variable = `DECKWATCH_${setting.toUpperCase().replaceAll('-', '_')}`
      const from = await Promise.all([
        problems({ argv: [`--${setting}=${value}`] }),
        problems({ env: { [variable]: value } }),
        problems({ file: `${setting}: ${JSON.stringify(value)}` }),
      ])
      const start = `--${setting} "${value}": `
      for (const said of from) {
        assert.equal(said.length, 1)
        assert.ok(said[0]?.startsWith(start), said[0])
      }
      assert.match(from[0]?.[0] ?? '', /\(from flag\)$/)
      assert.match(from[1]?.[0] ?? '', new RegExp(`\\(from env ${variable}\\)$`))
      assert.match(from[2]?.[0] ?? '', /\(from file \/etc\/deckwatch\/config\.yaml\)$/)
    })
  }

  it('says which settings do not go together', async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [['--components=api'], /nothing to serve/],
      [['--peers=image-graph=h:1'], /--peers image-graph: it runs in this process/],
      [['--components=image-graph', '--peers=image-graph=h:1'], /only the api asks other pods/],
      [['--components=image-graph', '--peer-address='], /--peer-address/],
      [['--api-address='], /--api-address/],
      [['--metrics-address=:10250'], /same address/],
    ]
    for (const [argv, expected] of cases) assert.match((await problems({ argv }))[0] ?? '', expected)
  })

  it('says where a file is no YAML, or cannot be read', async () => {
    assert.match(
      (await problems({ file: 'data: /data\nb: [' }))[0] ?? '',
      /^--config ".*config.yaml": .*line \d/,
    )
    assert.match((await problems({ file: '- data' }))[0] ?? '', /no mapping/)
    assert.match(
      (await problems({ argv: ['--config', '/nowhere'] }))[0] ?? '',
      /^--config "\/nowhere": .*ENOENT/,
    )
    assert.match((await problems({ argv: ['--data'] }))[0] ?? '', /^--data: a value is missing/)
  })

  it('never shows the URL of a database, which has a password in it', async () => {
    const said = await problems({ argv: ['--store', 'mysql://deck:hidden@db/x'] })
    assert.match(said.join(), /^--store "…": postgres:/)
    assert.doesNotMatch(said.join(), /hidden/)
  })

  it('reads the headers for a collector from the environment, and never shows them', async () => {
    const variable = 'DECKWATCH_AUDIT_EXPORT_HEADERS'
    const value = 'Authorization=Bearer a=b, x-scope=team one\n'
    const { auditExportHeaders } = await config({ env: { [variable]: value } })
    assert.deepEqual(auditExportHeaders, { authorization: 'Bearer a=b', 'x-scope': 'team one' })
    for (const url of ['collector:4318/hidden', 'https://jane:hidden@collector/v1/logs']) {
      const said = await problems({ env: { [variable]: 'Bearer hidden', DECKWATCH_AUDIT_EXPORT: url } })
      assert.equal(said.length, 2)
      assert.doesNotMatch(said.join(), /hidden/)
    }
  })

  it('reads what the audit log records', async () => {
    const { auditConditions, auditSize, auditResources, auditExcludeUsers } = await config({
      argv: ['--audit-resources', 'certificates.v1.cert-manager.io', '--audit-size=2Gi'],
      file: `audit-exclude-users: ['system:serviceaccount:ci:*']\naudit-conditions: '[{"name":"a","expression":"true"}]'\n`,
    })
    assert.deepEqual(
      [auditConditions, auditSize, auditResources, auditExcludeUsers],
      [
        [{ name: 'a', expression: 'true' }],
        { bytes: 2 * 2 ** 30 },
        ['certificates.v1.cert-manager.io'],
        ['system:serviceaccount:ci:*'],
      ],
    )
  })

  it('never writes control characters of a value to the terminal', async () => {
    assert.doesNotMatch((await problems({ argv: ['--service', 'a\u001b[31m'] })).join(), /\u001b/)
  })

  it('explains itself, and knows the version', async () => {
    const help = await read({ argv: ['--help'] })
    assert.equal(help.kind, 'print')
    for (const name of Object.keys(await config({})).filter(
      (key) => !/history|grace|secretsMs|journal/i.test(key),
    )) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
      assert.ok(help.kind === 'print' && help.text.includes(`  ${flag}`), flag)
    }
    assert.deepEqual(await read({ argv: ['--version'] }), { kind: 'print', text: 'deckwatch-server 1.2.3\n' })
  })

  it('of prepare-data is a folder and an owner', async () => {
    assert.deepEqual(await read({ argv: ['prepare-data', '--data=/data'] }), {
      kind: 'prepare-data',
      folder: '/data',
      uid: 65_532,
      gid: 65_532,
    })
    const other = await read({ argv: ['prepare-data', '--data', '/data', '--owner', '7:8'] })
    assert.deepEqual(other, { kind: 'prepare-data', folder: '/data', uid: 7, gid: 8 })
    assert.deepEqual(await problems({ argv: ['prepare-data', '--owner', 'root', '--mode=1', 'x'] }), [
      '"x": prepare-data takes flags only',
      '--mode "1": there is no such setting; --help lists them (from flag)',
      '--data "": a path (from flag)',
      '--owner "root": UID:GID as numbers (from flag)',
    ])
  })
})
