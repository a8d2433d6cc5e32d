import type { ChangeState } from '../../src/core/wire/change.ts'

type Schema = Readonly<Record<string, unknown>>

const text = (description: string): Schema => ({ type: 'string', description })
const time = (description: string): Schema => ({ type: 'string', format: 'date-time', description })
const flag = (description: string): Schema => ({ type: 'boolean', description })
const oneOf = (description: string, values: readonly string[]): Schema => ({
  type: 'string',
  description,
  enum: values,
})
const record = (description: string, properties: Schema): Schema => ({
  type: 'object',
  description,
  properties,
})
const listOf = (description: string, items: Schema): Schema => ({ type: 'array', description, items })
const anything = (description: string): Schema => ({
  description,
  'x-kubernetes-preserve-unknown-fields': true,
})

const STATES: readonly ChangeState[] = [
  'pending',
  'confirmed',
  'admitted',
  'superseded',
  'not-landed',
  'unattributed',
  'ambiguous',
]

const user = {
  username: text('The name that the API server authenticated.'),
  uid: text('The uid that it gave, where it gave one.'),
  groups: listOf('The groups of the user.', { type: 'string' }),
  extra: {
    type: 'object',
    description: 'What the authenticator added.',
    additionalProperties: { type: 'array', items: { type: 'string' } },
  },
}

const fieldChange = record('One field that changed.', {
  path: text('The field, with list entries by their keys: spec.template.spec.containers[name=app].image.'),
  op: oneOf('What was done to it.', ['add', 'remove', 'replace']),
  from: anything('The old value; a value that is not kept is shown as redacted:….'),
  to: anything('The new value; a value that is not kept is shown as redacted:….'),
  lines: listOf(
    'What changed in a text of several lines.',
    record('Some lines.', {
      line: { type: 'integer', format: 'int32', description: 'The first line, from 1.' },
      from: listOf('The old lines.', { type: 'string' }),
      to: listOf('The new lines.', { type: 'string' }),
    }),
  ),
  index: record('Where an entry of a list stood.', {
    from: { type: 'integer', format: 'int32', description: 'Before, from 0.' },
    to: { type: 'integer', format: 'int32', description: 'After, from 0.' },
  }),
})

/** OpenAPI v3 schemas of a change's own fields, for `kubectl explain`. */
export const changeSchemas: Schema = {
  operation: oneOf('What was done; CONNECT is exec, attach or port-forward.', [
    'CREATE',
    'UPDATE',
    'DELETE',
    'CONNECT',
  ]),
  time: time('When the API server asked about it, or when it was seen.'),
  state: oneOf('Whether it landed: confirmed where both witnesses saw it.', STATES),
  reason: text('Why nobody is named, or why it did not land.'),
  object: record('What was changed, as it was called then.', {
    group: text('The API group; empty for core kinds.'),
    version: text('The version in which it was seen.'),
    resource: text('The plural: deployments.'),
    subresource: text('scale, eviction, exec, …; empty for the object itself.'),
    kind: text('The kind of the object itself, also for a subresource.'),
    namespace: text('The namespace; empty for cluster-scoped objects.'),
    namespaceUid: text('The uid of that namespace.'),
    name: text('The name.'),
    uid: text('The uid: another one after the object was made anew.'),
    resourceVersion: record('The versions between which the change lies.', {
      before: text('Empty before a CREATE.'),
      after: text('Empty after a DELETE, and where it is not known.'),
    }),
  }),
  user: record('Who made it; absent where nobody knows.', user),
  actor: oneOf('What kind of account that is.', [
    'person',
    'service-account',
    'node',
    'control-plane',
    'unknown',
  ]),
  candidates: listOf('All who may have made it, where it is ambiguous.', record('A user.', user)),
  via: record('With what, and on whose behalf.', {
    manager: text('The field manager: kubectl-edit.'),
    tool: text('The tool: kubectl, argo-cd, flux, helm, ….'),
    source: text('What the tool made it for: Application argocd/shop.'),
    revision: text('The revision of that source.'),
    initiatedBy: text('Who started the tool.'),
    manual: flag("Whether it was made by a person's hand."),
  }),
  changes: listOf('Which fields changed, without noise.', fieldChange),
  truncated: flag('The values were too large and are not kept.'),
  cause: record('What led to this change.', {
    type: oneOf('How.', ['owner', 'namespace', 'autoscaler', 'eviction']),
    change: text('The change that led to it, where that was recorded.'),
    object: text('The object whose change led to it.'),
    username: text('Who made that change.'),
  }),
}
