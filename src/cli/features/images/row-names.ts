import type { ViewName, ViewRow } from './views.ts'

/**
 * What `-o name` prints, once each: image references for tools that take images, TYPE/NAME for kubectl where the rows
 * are objects of the cluster.
 */
export function rowNames(view: ViewName, rows: readonly ViewRow[]): string[] {
  return [...new Set(rows.flatMap((row) => namesOf(view, row)))]
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
      return row.registry ? [row.registry] : []
    case 'namespace':
      return [`namespace/${row.namespace}`]
  }
}
