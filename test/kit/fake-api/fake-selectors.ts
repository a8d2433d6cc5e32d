import type { FakeObject } from './fake-store.ts'

/** Whether an object is chosen; made once per request. */
export type FakeSelector = (object: FakeObject) => boolean

/** A selector that the server refuses with 400. */
export class BadSelector extends Error {}

/** Reads a label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas. */
export function labelSelector(text: string): FakeSelector {
  const tests = text
    .split(/,(?![^(]*\))/)
    .filter((part) => part.trim() !== '')
    .map(labelRequirement)
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}))
}

/** Reads a field selector over metadata.name, metadata.namespace, spec.nodeName and status.phase. */
export function fieldSelector(text: string): FakeSelector {
  const tests = text
    .split(',')
    .filter((part) => part !== '')
    .map(fieldRequirement)
  return (object) => tests.every((test) => test(object))
}

function labelRequirement(part: string): (labels: Readonly<Record<string, string>>) => boolean {
  const text = part.trim()
  const set = /^([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text)
  if (set) {
    const [, key = '', operator, values = ''] = set
    const allowed = new Set(values.split(',').map((value) => value.trim()))
    return (labels) => allowed.has(labels[key] ?? '\0') === (operator === 'in')
  }
  const equality = /^([\w./-]+)\s*(=|==|!=)\s*([\w.-]*)$/.exec(text)
  if (equality) {
    const [, key = '', operator, value] = equality
    return (labels) => (labels[key] === value) === (operator !== '!=')
  }
  const existence = /^(!?)\s*([\w./-]+)$/.exec(text)
  if (!existence) throw new BadSelector(`unable to parse requirement: ${JSON.stringify(text)}`)
  const [, not, key = ''] = existence
  return (labels) => key in labels === (not === '')
}

function fieldRequirement(part: string): FakeSelector {
  const match = /^([\w.]+)(=|==|!=)(.*)$/.exec(part)
  if (!match) throw new BadSelector(`invalid selector: '${part}'; can't understand '${part}'`)
  const [, field = '', operator, value] = match
  if (!['metadata.name', 'metadata.namespace', 'spec.nodeName', 'status.phase'].includes(field)) {
    throw new BadSelector(`field label not supported: ${field}`)
  }
  const [part1 = '', part2 = ''] = field.split('.')
  return (object) => {
    const found = (object[part1] as Record<string, unknown> | undefined)?.[part2] ?? ''
    return (found === value) === (operator !== '!=')
  }
}
