import type { Config } from './config.ts'
import { settingName, SETTINGS } from './settings.ts'

/** The answer to `--help`. */
export function helpText(): string {
  const entries = Object.entries(SETTINGS) as [keyof Config, (typeof SETTINGS)[keyof Config]][]
  const lines = entries.map(([key, { help, allowed, fallback }]) => {
    const standard = fallback === '' ? '' : ` (${fallback})`
    return `  --${settingName(key)}${standard}\n      ${help}: ${allowed}`
  })
  return `The companion of deckwatch: an aggregated API server for Kubernetes.

usage: deckwatch-server [--SETTING VALUE …]
       deckwatch-server prepare-data --data FOLDER [--owner UID:GID]

Each setting can also be the variable DECKWATCH_SETTING (in capitals, with underscores) or a key of the YAML file
named by --config; a flag counts more than a variable, and that more than the file. In parentheses: the default.

${lines.join('\n')}
  --config
      a YAML file with settings
  --help, --version
`
}
