import { readFile } from 'node:fs/promises'
import {
  checkValues,
  DEFAULT_VALUES,
  readValues,
  ValuesError,
  type DeployValues,
} from '../../../../server/deploy/index.ts'
import { parseSet } from '../../../../server/deploy/set-syntax.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { parseYaml, YamlError } from '../../../core/lib/yaml.ts'
import { mergeValues } from '../../features/deckwatch/merge-values.ts'
import type { InstallChoice } from '../../features/deckwatch/plan-install.ts'

/** Flags of `install` that choose values. */
export interface ValueFlags {
  readonly namespace?: string | undefined
  readonly components?: string | undefined
  readonly image?: string | undefined
  readonly replicas?: string | undefined
  readonly 'api-replicas'?: string | undefined
  readonly storage?: string | undefined
  readonly 'host-network': boolean
  readonly set?: readonly string[] | undefined
  readonly values?: string | undefined
}

/** Components that the design names and this version does not have. */
export const LATER_COMPONENTS = ['registry-checker', 'role-reconciler', 'log-tailer'] as const

/** What the flags choose: a flag wins over `--set`, that over the file, and that over the defaults; DeckError USAGE. */
export async function chosenValues(flags: ValueFlags): Promise<InstallChoice> {
  const file = flags.values === undefined ? undefined : await readValuesFile(flags.values)
  const sets = [...(flags.set ?? []), ...flagSets(flags)]
  return usageErrors(() => {
    const base = mergeValues(DEFAULT_VALUES, file)
    const given = new Set([...base.given, ...keysOf(sets)])
    const values = withHostPorts(readValues(base.values, sets), given)
    // What does not go together is wrong before any cluster is asked.
    checkValues(values)
    return { values, given }
  })
}

/** Runs what reads or checks values, and turns its ValuesError into a DeckError. */
function usageErrors<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ValuesError) throw valuesError(error)
    throw error
  }
}

/** A value that cannot be, as wrong usage. */
export function valuesError(error: ValuesError): DeckError {
  return new DeckError('USAGE', error.message, { cause: error })
}

function flagSets(flags: ValueFlags): readonly string[] {
  const named: readonly (readonly [key: string, value: string | undefined])[] = [
    ['namespace', flags.namespace],
    ['image', flags.image],
    ['replicas', flags.replicas],
    ['apiReplicas', flags['api-replicas']],
    ['storage.type', flags.storage],
    ['hostNetwork', flags['host-network'] ? 'true' : undefined],
  ]
  return [
    ...named.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${escaped(value)}`])),
    ...(flags.components === undefined ? [] : [`components={${componentNames(flags.components).join(',')}}`]),
  ]
}

function componentNames(list: string): readonly string[] {
  const names = list.split(',').map((name) => name.trim())
  const later = names.find((name) => LATER_COMPONENTS.some((known) => known === name))
  if (later === undefined) return names.map(escaped)
  throw new DeckError('NOT_YET', `component ${later} is not in this version yet`, {
    hint: 'This version has image-graph and audit-log: --components LIST, or all for both.',
  })
}

/** A backslash takes the next character as it is. */
function escaped(value: string): string {
  return value.replaceAll(/[\\,{}]/g, (character) => `\\${character}`)
}

/** In the network of the node, port 10250 is the kubelet's: another is taken unless one was chosen. */
function withHostPorts(values: DeployValues, given: ReadonlySet<string>): DeployValues {
  if (!values.hostNetwork || given.has('ports.api')) return values
  return { ...values, ports: { ...values.ports, api: values.ports.api + 10_000 } }
}

function keysOf(sets: readonly string[]): readonly string[] {
  return sets.flatMap(parseSet).map(({ path }) => path.join('.'))
}

async function readValuesFile(file: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new DeckError('USAGE', `cannot read --values ${file}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  try {
    return await parseYaml(text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const where = error.line === undefined ? '' : ` (line ${error.line})`
    throw new DeckError('USAGE', `--values ${file} is no YAML: ${error.message}${where}`, { cause: error })
  }
}
