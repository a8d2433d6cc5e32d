import { DeckError } from '../../../core/lib/errors.ts'

/** The flags that say which pods of which cluster are meant, and as whom they are asked for; none is a secret. */
const SCOPE_FLAGS = [
  'kubeconfig',
  'context',
  'cluster',
  'user',
  'server',
  'as',
  'selector',
  'field-selector',
] as const

type ScopeFlags = { readonly [Name in (typeof SCOPE_FLAGS)[number] | 'namespace']?: string | undefined } & {
  readonly 'all-namespaces': boolean
  readonly 'running-only'?: boolean
}

/** The command that a hint repeats: about the same pods of the same cluster, ready for a shell. */
export function hintCommand(command: string, flags: ScopeFlags): string {
  const words = SCOPE_FLAGS.flatMap((name) => withValue(`--${name}`, flags[name]))
  const scope = flags['all-namespaces'] ? ['-A'] : withValue('-n', flags.namespace)
  return [command, ...scope, ...words, ...(flags['running-only'] ? ['--running-only'] : [])].join(' ')
}

function withValue(flag: string, value: string | undefined): string[] {
  if (value === undefined) return []
  return [flag, shellWord(value)]
}

/** A word as a shell reads it back. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Who may not read all namespaces is told the command for one: the context's own, where it has one. */
export function hintAtNamespace(error: unknown, command: string, flags: ScopeFlags, own: string): unknown {
  if (!(error instanceof DeckError) || !error.hint?.includes('-n NAMESPACE')) return error
  const namespace = own === 'default' ? 'NAMESPACE' : own
  const inOne = hintCommand(command, { ...flags, 'all-namespaces': false, namespace })
  // Without the full stop, which would be copied with the command.
  const hint = error.hint.replace(/-n NAMESPACE\.?/, inOne)
  return new DeckError(error.code, error.message, { hint, status: error.status, cause: error })
}
