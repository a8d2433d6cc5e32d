import { ApiError } from './api-error.ts'
import type { FieldRequirement, ServedObject, ServedResource } from './resource.ts'

/** One requirement of a label selector (k8s.io/apimachinery, pkg/labels). */
export type LabelRequirement =
  | { readonly key: string; readonly operator: 'exists' | '!' }
  | { readonly key: string; readonly operator: 'in' | 'notin'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'gt' | 'lt'; readonly bound: bigint }

/** Which objects of a list or watch are meant. */
export interface Selection {
  readonly fields: readonly FieldRequirement[]
  readonly labels: readonly LabelRequirement[]
}

/** Each is looked at for each object: thousands of them, which fit into one request, would hold up everybody else. */
const MAX_REQUIREMENTS = 100

/** A field selector as kubectl writes it: `a=b,c!=d`, with `\` before a comma, equals sign or backslash of a value. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return notTooMany(splitUnescaped(text).filter((term) => term !== '')).map((term) => {
    const [, field, operator, value] = /^([^=!\\]+)(!=|==?)(.*)$/s.exec(term) ?? []
    if (field === undefined || operator === undefined || value === undefined) {
      throw new ApiError('BadRequest', `invalid selector: ${quote(text)}; can't understand ${quote(term)}`)
    }
    return { field, operator: operator === '!=' ? '!=' : '=', value: unescape(value, text) } as const
  })
}

function splitUnescaped(text: string): readonly string[] {
  const terms = ['']
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? ''
    if (character === ',') terms.push('')
    else terms[terms.length - 1] += character === '\\' ? character + (text[++index] ?? '') : character
  }
  return terms
}

function unescape(value: string, selector: string): string {
  if (!/^(?:[^\\,=]|\\[\\,=])*$/.test(value)) {
    throw new ApiError('BadRequest', `invalid field selector: ${quote(selector)}`)
  }
  return value.replaceAll(/\\([\\,=])/g, '$1')
}

const LABEL_KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/

/** A label selector as kubectl writes it: `a=b,c!=d,e,!f,g in (h,i),j notin (k),l>1`. */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  if (text.trim() === '') return []
  return notTooMany(splitOutsideBrackets(text)).map((term) => labelRequirement(term.trim(), text))
}

function notTooMany(terms: readonly string[]): readonly string[] {
  if (terms.length <= MAX_REQUIREMENTS) return terms
  throw new ApiError('BadRequest', `invalid selector: it has more than ${MAX_REQUIREMENTS} requirements`)
}

function splitOutsideBrackets(text: string): readonly string[] {
  const terms = ['']
  let inside = false
  for (const character of text) {
    if (character === '(' || character === ')') inside = character === '('
    if (character === ',' && !inside) terms.push('')
    else terms[terms.length - 1] += character
  }
  return terms
}

function labelRequirement(term: string, selector: string): LabelRequirement {
  const invalid = (why: string): ApiError =>
    new ApiError('BadRequest', `unable to parse requirement: ${why} in label selector ${quote(selector)}`)
  const checkedKey = (key = ''): string => {
    if (!LABEL_KEY.test(key)) throw invalid(`invalid label key ${quote(key)}`)
    return key
  }
  const checkedValue = (value: string): string => {
    if (!LABEL_VALUE.test(value)) throw invalid(`invalid label value ${quote(value)}`)
    return value
  }
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term)
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => checkedValue(value.trim()))
    return { key: checkedKey(set[1]), operator: set[2] === 'in' ? 'in' : 'notin', values }
  }
  const [, key, operator, value = ''] = /^([^\s=!<>]+)\s*(==?|!=|[<>])\s*(.*)$/s.exec(term) ?? []
  switch (operator) {
    case undefined:
      return term.startsWith('!')
        ? { key: checkedKey(term.slice(1).trim()), operator: '!' }
        : { key: checkedKey(term), operator: 'exists' }
    case '<':
    case '>':
      if (!/^-?\d{1,19}$/.test(value)) throw invalid(`${quote(value)} is not a whole number`)
      return { key: checkedKey(key), operator: operator === '<' ? 'lt' : 'gt', bound: BigInt(value) }
    default:
      return {
        key: checkedKey(key),
        operator: operator === '!=' ? 'notin' : 'in',
        values: [checkedValue(value)],
      }
  }
}

/** ApiError BadRequest, in kube-apiserver's words, where a field selector names what the resource cannot select by. */
export function checkFields(
  fields: readonly FieldRequirement[],
  { selectableFields }: Pick<ServedResource, 'selectableFields'>,
): void {
  const known = ['metadata.name', 'metadata.namespace', ...Object.keys(selectableFields)]
  const unknown = fields.find(({ field }) => !known.includes(field))
  if (unknown)
    throw new ApiError(
      'BadRequest',
      `field label not supported: ${unknown.field} (there are ${known.join(', ')})`,
    )
}

/** The one name that the fields allow, as kube-apiserver takes it for RBAC; undefined where they allow more. */
export function selectedName(fields: readonly FieldRequirement[]): string | undefined {
  return fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value
}

/** Whether an object is among those that are meant. */
export function selects(
  { fields, labels }: Selection,
  object: ServedObject,
  { selectableFields }: Pick<ServedResource, 'selectableFields'>,
): boolean {
  return (
    fields.every(({ field, operator, value }) => {
      const found =
        field === 'metadata.name'
          ? object.metadata.name
          : field === 'metadata.namespace'
            ? (object.metadata.namespace ?? '')
            : (selectableFields[field]?.(object) ?? '')
      return (found === value) === (operator === '=')
    }) && labels.every((requirement) => selectsLabel(requirement, object.metadata.labels ?? {}))
  )
}

function selectsLabel(requirement: LabelRequirement, labels: Readonly<Record<string, string>>): boolean {
  const { key } = requirement
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'in':
      return value !== undefined && requirement.values.includes(value)
    case 'notin':
      return value === undefined || !requirement.values.includes(value)
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^-?\d{1,19}$/.test(value)) return false
      const number = BigInt(value)
      return requirement.operator === 'gt' ? number > requirement.bound : number < requirement.bound
    }
    default:
      return requirement satisfies never
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}
