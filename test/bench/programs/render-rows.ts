import { renderColumns } from '../../../src/cli/render/columns.ts'

/**
 * Renders 10,000 rows as plain columns once, as a run of the CLI does with nothing warmed up, and prints the
 * milliseconds that took and those of joining the same cells without any alignment.
 */
function renderRows(): void {
  const columns = ['namespace', 'pod', 'container', 'image', 'digest', 'size'].map((title) => ({ title }))
  const rows = Array.from({ length: 10_000 }, (_, index) => [
    `team-${index % 40}`,
    `service-${index % 1000}-7d9c5b6f4d-${(index * 7919).toString(36)}`,
    index % 5 === 0 ? '(init) migrate' : 'app',
    `registry.example.com/team-${index % 12}/service-${index % 200}:1.${index % 30}.${index % 7}`,
    (index * 2_654_435_761).toString(16).padStart(12, '0'),
    `${index % 900} MiB`,
  ])
  let length = 0
  const started = performance.now()
  for (const chunk of renderColumns(columns, rows)) length += Buffer.byteLength(chunk)
  const rendered = performance.now()
  length += Buffer.byteLength(rows.map((row) => row.join('   ')).join('\n'))
  const joined = performance.now()
  console.log(JSON.stringify({ columns: rendered - started, join: joined - rendered, length }))
}

renderRows()
