import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AUDIT_ALERTS, prometheusRule } from '../../server/deploy/alerts.ts'
import { AUDIT_DASHBOARD } from '../../server/deploy/dashboard.ts'
import { DEFAULT_VALUES } from '../../server/deploy/index.ts'
import { needCommand } from '../kit/debian-package.ts'

interface Series {
  readonly series: string
  readonly values: string
}

const RECORDING = 'deckwatch_audit_recording{namespace="deckwatch",pod="a"}'

describe('alerts and dashboard, by Prometheus’ own tool', function () {
  this.timeout(300_000)
  let folder: string

  before(async function () {
    needCommand(this, 'promtool', ['prometheus'])
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-alerts-'))
    const { spec } = prometheusRule(DEFAULT_VALUES) as { readonly spec: unknown }
    // JSON is YAML.
    await writeFile(join(folder, 'rules.yaml'), JSON.stringify(spec))
  })

  after(async () => {
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  function promtool(...args: readonly string[]): void {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stdout + stderr)
  }

  /** Which of the alerts fire at a minute, of these series with a sample each minute. */
  async function fires(
    at: string,
    input: readonly Series[],
    expected: Readonly<Record<string, readonly object[]>>,
  ): Promise<void> {
    const file = join(folder, 'test.yaml')
    const tests = {
      rule_files: ['rules.yaml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: input,
          alert_rule_test: AUDIT_ALERTS.map(({ alert, labels: { severity }, annotations }) => ({
            eval_time: at,
            alertname: alert,
            exp_alerts: (expected[alert] ?? []).map((labels) => ({
              exp_labels: { severity, ...labels },
              exp_annotations: filled(annotations, labels as Record<string, string>),
            })),
          })),
        },
      ],
    }
    await writeFile(file, JSON.stringify(tests))
    promtool('test', 'rules', file)
  }

  it('are rules that Prometheus takes', () => {
    promtool('check', 'rules', 'rules.yaml')
  })

  it('have queries that Prometheus understands', async () => {
    const expressions = AUDIT_DASHBOARD.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    const rules = expressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$namespace', '.*'),
    }))
    await writeFile(join(folder, 'panels.yaml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }))
    promtool('check', 'rules', 'panels.yaml')
  })

  it('are quiet where all is well, and over a restart', async () => {
    await fires(
      '30m',
      [
        { series: RECORDING, values: '1x10 0x1 1x30' },
        {
          series: 'deckwatch_audit_changes_total{namespace="deckwatch",state="confirmed"}',
          values: '0+5x40',
        },
        { series: 'deckwatch_audit_reviews_total{namespace="deckwatch",outcome="full"}', values: '0x40' },
      ],
      {},
    )
  })

  it('tell that the recording has stopped', async () => {
    await fires('20m', [{ series: RECORDING, values: '1x10 0x20' }], {
      DeckwatchRecordingStopped: [{ namespace: 'deckwatch' }],
    })
  })

  it('are quiet while another pod records', async () => {
    const other = RECORDING.replace('pod="a"', 'pod="b"')
    await fires(
      '20m',
      [
        { series: RECORDING, values: '1x10 0x20' },
        { series: other, values: '1x30' },
      ],
      {},
    )
  })

  it('tell that there are no figures', async () => {
    await fires('30m', [{ series: RECORDING, values: '1x3' }], { DeckwatchRecordingUnseen: [{}] })
  })

  it('tell that the store does not keep up', async () => {
    await fires(
      '20m',
      [
        { series: RECORDING, values: '1x30' },
        { series: 'deckwatch_audit_journal_entries_behind{namespace="deckwatch"}', values: '0+2000x30' },
      ],
      { DeckwatchRecordingFallingBehind: [{ namespace: 'deckwatch' }] },
    )
    await fires(
      '20m',
      [
        { series: RECORDING, values: '1x30' },
        { series: 'deckwatch_audit_pending_age_seconds{namespace="deckwatch"}', values: '0+60x30' },
      ],
      { DeckwatchRecordingFallingBehind: [{ namespace: 'deckwatch' }] },
    )
  })

  it('tell that the collector takes nothing, and not that it once did not', async () => {
    const series = (failures: string, exported: string): readonly Series[] => [
      { series: RECORDING, values: '1x60' },
      { series: 'deckwatch_audit_export_failures_total{namespace="deckwatch"}', values: failures },
      { series: 'deckwatch_audit_exported_total{namespace="deckwatch"}', values: exported },
    ]
    await fires('50m', series('0+1x60', '0+5x5 25x55'), {
      DeckwatchExportStopped: [{ namespace: 'deckwatch' }],
    })
    await fires('50m', series('0+1x5 5x55', '0+5x60'), {})
  })
})

/** As Prometheus fills templates in; the alerts that are tried have no value in them. */
function filled(
  annotations: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, text]) => [
      key,
      text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? ''),
    ]),
  )
}
