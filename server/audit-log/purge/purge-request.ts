import { parsePath } from '../../../src/core/model/field-path.ts'
import type { PurgeRequest, PurgeTarget } from '../../../src/core/wire/purge.ts'

/** What the ConfigMap asks for: a request that is not answered yet, one that cannot be read, or nothing. */
export type AskedPurge =
  | { readonly type: 'none' }
  | { readonly type: 'request'; readonly request: PurgeRequest }
  | { readonly type: 'unreadable'; readonly id: string; readonly reason: string }

const NONE: AskedPurge = { type: 'none' }

/** Reads the data of the ConfigMap, which people write. */
export function readPurgeRequest(data: Readonly<Record<string, string>>): AskedPurge {
  const request = parsed(data['request'])
  const id = request?.['id']
  if (typeof id !== 'string' || id === '' || parsed(data['answer'])?.['id'] === id) return NONE
  const reason = whyUnreadable(request?.['target'])
  if (reason !== undefined) return { type: 'unreadable', id, reason }
  return { type: 'request', request: { id, time: '', ...request } as unknown as PurgeRequest }
}

function whyUnreadable(target: unknown): string | undefined {
  if (!isMap(target)) return 'the request has no target'
  for (const key of ['group', 'resource', 'namespace', 'name'] satisfies (keyof PurgeTarget)[])
    if (typeof target[key] !== 'string') return `the request's target has no ${key}`
  const { path } = target
  if (path === undefined) return undefined
  if (typeof path !== 'string' || path === '') return "the path of the request's target is no text"
  try {
    parsePath(path)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
