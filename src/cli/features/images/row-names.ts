import type { ViewName, ViewRow } from './views.ts'

/**
 * What `-o name` prints, once for each: image references for tools that take images, TYPE/NAME for kubectl where the
 * rows are objects of the cluster; equal names in two namespaces are two objects, as in `kubectl get -A -o name`.
 */
export function rowNames(view: ViewName, rows: readonly ViewRow[]): string[] {
  const seen = new Set<string>()
  return rows.flatMap((row) =>
    namesOf(view, row).filter((name) => {
      const key = `${view === 'pod' || view === 'workload' ? row.namespace : ''} ${name}`
      return name !== '' && !seen.has(key) && seen.add(key)
    }),
  )
}

function namesOf(view: ViewName, row: ViewRow): readonly string[] {
  switch (view) {
    case 'image':
      return row.references ?? []
    case 'container':
      return row.image === undefined ? [] : [row.image]
    case 'pod':
      return [`pod/${row.pod}`]
    case 'workload':
      return [row.workload ?? '']
    case 'node':
      // Pods that no node has taken yet have no node to name.
      return row.node ? [`node/${row.node}`] : []
    case 'registry':
      // A reference that is not valid names no registry.
      return [row.registry ?? '']
    case 'namespace':
      return [`namespace/${row.namespace}`]
  }
}
