import { DeckError } from '../../../src/core/lib/errors.ts'
import { visible } from '../../../src/core/lib/text.ts'
import { parseYaml, YamlError } from '../../../src/core/lib/yaml.ts'
import type { Config } from './config.ts'
import { type CommandLine, type GivenValue, readArguments, readFileValues } from './config-sources.ts'
import { checkTogether } from './check-together.ts'
import { helpText } from './help-text.ts'
import { settingName, SETTINGS, settingVariable } from './settings.ts'

/** What a process is asked to do. */
export type ServerCommand =
  | { readonly kind: 'serve'; readonly config: Config }
  /** Makes the folder of the stores for a user who may not do so himself, and ends. */
  | { readonly kind: 'prepare-data'; readonly folder: string; readonly uid: number; readonly gid: number }
  | { readonly kind: 'print'; readonly text: string }

/** Where settings come from. */
export interface ConfigSources {
  /** Without the program. */
  readonly argv: readonly string[]
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
  readonly version: string
}

const PREPARE_DATA = 'prepare-data'
const CONFIG_FILE = 'config'
/** The user of the image. */
const OWNER = '65532:65532'

const KEYS = Object.keys(SETTINGS) as (keyof Config)[]
const KEY_BY_NAME: ReadonlyMap<string, keyof Config> = new Map(KEYS.map((key) => [settingName(key), key]))

/**
 * What the command line, the environment and the configuration file say together: a flag counts more than a variable,
 * that more than the file, that more than the default. Throws a DeckError USAGE that lists everything that is wrong.
 */
export async function readConfig(sources: ConfigSources): Promise<ServerCommand> {
  const { argv, version } = sources
  if (argv.some((word) => word === '--help' || word === '-h' || word === 'help')) {
    return { kind: 'print', text: helpText() }
  }
  if (argv.includes('--version')) return { kind: 'print', text: `deckwatch-server ${version}\n` }
  if (argv[0] === PREPARE_DATA) return readPrepareData(argv.slice(1))
  const line = readArguments(argv, (name) => isSwitch(name))
  const problems = lineProblems(line)
  const fromFile = await readConfigFile(line.flags, sources)
  problems.push(...fromFile.problems)
  const given = new Map<string, GivenValue>()
  for (const value of [...fromFile.values, ...variables(sources.variables), ...line.flags]) {
    if (KEY_BY_NAME.has(value.name)) given.set(value.name, value)
    else if (value.name !== CONFIG_FILE || value.source !== 'flag') problems.push(unknownName(value))
  }
  const config = parseAll(given, problems)
  if (problems.length === 0) problems.push(...checkTogether(config as Config))
  if (problems.length > 0) throw usage(problems)
  return { kind: 'serve', config: config as Config }
}

function isSwitch(name: string): boolean {
  const key = KEY_BY_NAME.get(name)
  return key !== undefined && SETTINGS[key].isSwitch === true
}

function lineProblems({ words, valueless }: CommandLine): string[] {
  return [
    ...words.map((word) => `"${visible(word)}": there is no such command, only ${PREPARE_DATA}`),
    ...valueless.map((name) => `--${visible(name)}: a value is missing (from flag)`),
  ]
}

/** The settings among the variables. Others that begin alike are no mistake: Kubernetes makes some for each Service. */
function variables(all: ConfigSources['variables']): GivenValue[] {
  return [...KEY_BY_NAME.keys()].flatMap((name) => {
    const variable = settingVariable(name)
    const value = all[variable]
    return value === undefined ? [] : [{ name, value, source: `env ${variable}` }]
  })
}

async function readConfigFile(
  flags: readonly GivenValue[],
  { variables: all, readFile }: ConfigSources,
): Promise<{ readonly values: readonly GivenValue[]; readonly problems: readonly string[] }> {
  const path = flags.findLast(({ name }) => name === CONFIG_FILE)?.value ?? all[settingVariable(CONFIG_FILE)]
  if (!path) return { values: [], problems: [] }
  try {
    return readFileValues(await parseYaml(readFile(path)), path)
  } catch (error) {
    const where = error instanceof YamlError && error.line !== undefined ? ` (line ${error.line})` : ''
    const why = error instanceof Error ? error.message : String(error)
    return { values: [], problems: [`--${CONFIG_FILE} "${path}": it cannot be read: ${why}${where}`] }
  }
}

/** All settings that are right; what is wrong with the others is added to the problems. */
function parseAll(given: ReadonlyMap<string, GivenValue>, problems: string[]): Partial<Config> {
  const entries = KEYS.flatMap((key) => {
    const { schema, fallback, allowed, isSecret } = SETTINGS[key]
    const name = settingName(key)
    const value = given.get(name)
    const parsed = schema.safeParse(value?.value ?? fallback)
    if (parsed.success) return [[key, parsed.data]]
    const shown = isSecret === true ? '…' : visible(value?.value ?? '')
    problems.push(`--${name} "${shown}": ${allowed} (from ${value?.source ?? 'default'})`)
    return []
  })
  return Object.fromEntries(entries) as Partial<Config>
}

function unknownName({ name, value, source }: GivenValue): string {
  return `--${visible(name)} "${visible(value)}": there is no such setting; --help lists them (from ${source})`
}

function readPrepareData(argv: readonly string[]): ServerCommand {
  const { flags, words, valueless } = readArguments(argv, () => false)
  const problems = [
    ...words.map((word) => `"${visible(word)}": ${PREPARE_DATA} takes flags only`),
    ...valueless.map((name) => `--${visible(name)}: a value is missing (from flag)`),
    ...flags.filter(({ name }) => name !== 'data' && name !== 'owner').map(unknownName),
  ]
  const value = (name: string, fallback: string): string =>
    flags.findLast((flag) => flag.name === name)?.value ?? fallback
  const [folder, owner] = [value('data', ''), value('owner', OWNER)]
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(owner) ?? []
  if (folder === '') problems.push('--data "": a path (from flag)')
  if (uid === undefined) problems.push(`--owner "${visible(owner)}": UID:GID as numbers (from flag)`)
  if (problems.length > 0) throw usage(problems)
  return { kind: PREPARE_DATA, folder, uid: Number(uid), gid: Number(gid) }
}

function usage(problems: readonly string[]): DeckError {
  return new DeckError('USAGE', problems.join('\n'), { hint: 'deckwatch-server --help lists all settings.' })
}
