/** One panel: a title, what it shows, and where it stands in a grid of 24 columns. */
interface Panel {
  readonly title: string
  readonly description: string
  readonly type: 'stat' | 'timeseries'
  readonly unit: 'short' | 's' | 'bytes' | 'bool_yes_no' | 'reqps'
  readonly queries: readonly { readonly expr: string; readonly legend: string }[]
}

const OWN = 'namespace=~"$namespace"'

const PANELS: readonly Panel[] = [
  {
    title: 'Recording',
    description: 'Whether both witnesses are there: the webhook and the watches.',
    type: 'stat',
    unit: 'bool_yes_no',
    queries: [{ expr: `max by (namespace) (deckwatch_audit_recording{${OWN}})`, legend: '{{namespace}}' }],
  },
  {
    title: 'Time without a record',
    description: 'In the last day.',
    type: 'stat',
    unit: 's',
    queries: [{ expr: `max(increase(deckwatch_audit_gap_seconds_total{${OWN}}[1d]))`, legend: 'last day' }],
  },
  {
    title: 'Changes without an author',
    description: 'Landed without a review in the last day.',
    type: 'stat',
    unit: 'short',
    queries: [
      {
        expr: `sum(increase(deckwatch_audit_changes_total{${OWN},state="unattributed"}[1d]))`,
        legend: 'last day',
      },
    ],
  },
  {
    title: 'Reviews',
    description: 'By what became of them; only those that are recorded may become changes.',
    type: 'timeseries',
    unit: 'reqps',
    queries: [
      { expr: `sum by (outcome) (rate(deckwatch_audit_reviews_total{${OWN}}[5m]))`, legend: '{{outcome}}' },
      { expr: `sum(rate(deckwatch_audit_no_ops_total{${OWN}}[5m]))`, legend: 'changes nothing' },
    ],
  },
  {
    title: 'What a write waits for its review',
    description: 'Within the companion; the way there and back comes on top.',
    type: 'timeseries',
    unit: 's',
    queries: ['0.5', '0.99'].map((quantile) => ({
      expr: `histogram_quantile(${quantile}, sum by (le) (rate(deckwatch_audit_review_seconds_bucket{${OWN}}[5m])))`,
      legend: `${Number(quantile) * 100} %`,
    })),
  },
  {
    title: 'Changes',
    description: 'By what became of them.',
    type: 'timeseries',
    unit: 'reqps',
    queries: [
      { expr: `sum by (state) (rate(deckwatch_audit_changes_total{${OWN}}[5m]))`, legend: '{{state}}' },
    ],
  },
  {
    title: 'Not yet in the store',
    description: 'Reviews in the journal.',
    type: 'timeseries',
    unit: 'short',
    queries: [{ expr: `max(deckwatch_audit_journal_entries_behind{${OWN}})`, legend: 'reviews' }],
  },
  {
    title: 'Oldest change that is not decided',
    description: 'A change is decided within seconds where both witnesses are there.',
    type: 'timeseries',
    unit: 's',
    queries: [{ expr: `max(deckwatch_audit_pending_age_seconds{${OWN}})`, legend: 'age' }],
  },
  {
    title: 'Size',
    description: 'On the volume, or in the database.',
    type: 'timeseries',
    unit: 'bytes',
    queries: [
      { expr: `max(deckwatch_audit_store_bytes{${OWN}})`, legend: 'history' },
      { expr: `max(deckwatch_audit_journal_bytes{${OWN}})`, legend: 'journal' },
    ],
  },
]

const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' } as const
const COLUMNS = 3
const WIDTH = 24 / COLUMNS
const HEIGHT = 8

/** A dashboard of the audit log for Grafana, to be imported or provisioned. */
export const AUDIT_DASHBOARD = {
  uid: 'deckwatch-audit-log',
  title: 'deckwatch: who changed what',
  description: 'How the audit log of deckwatch records changes.',
  tags: ['deckwatch'],
  schemaVersion: 39,
  editable: true,
  refresh: '1m',
  time: { from: 'now-6h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
      {
        name: 'namespace',
        label: 'Namespace',
        type: 'query',
        datasource: DATA_SOURCE,
        query: { query: 'label_values(deckwatch_audit_recording, namespace)', refId: 'namespaces' },
        refresh: 2,
        includeAll: true,
        allValue: '.*',
        current: { text: 'All', value: '$__all' },
      },
    ],
  },
  panels: PANELS.map(({ title, description, type, unit, queries }, index) => ({
    id: index + 1,
    title,
    description,
    type,
    datasource: DATA_SOURCE,
    gridPos: {
      x: (index % COLUMNS) * WIDTH,
      y: Math.floor(index / COLUMNS) * HEIGHT,
      w: WIDTH,
      h: HEIGHT,
    },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: type === 'stat' ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value' } : {},
    targets: queries.map(({ expr, legend }, place) => ({
      refId: String.fromCodePoint(65 + place),
      datasource: DATA_SOURCE,
      expr,
      legendFormat: legend,
    })),
  })),
} as const
