const MAX_SHORT_DESCRIPTION = 50
const MAX_LINE = 80
const SYSTEMS = new Set(['linux', 'darwin', 'windows'])

interface Platform {
  readonly selector?: { readonly matchLabels?: { readonly os?: string; readonly arch?: string } }
  readonly uri?: string
  readonly sha256?: string
  readonly bin?: string
}

interface Manifest {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: { readonly name?: string }
  readonly spec?: {
    readonly version?: string
    readonly homepage?: string
    readonly shortDescription?: string
    readonly description?: string
    readonly caveats?: string
    readonly platforms?: readonly Platform[]
  }
}

/**
 * What in a plugin manifest, `fileName` included, krew refuses or its reviewers send back, one sentence each; empty
 * where it is in order. The rules are those of krew's developer guide, its naming guide and its validator.
 */
export function krewViolations(fileName: string, manifest: unknown): string[] {
  const { apiVersion, kind, metadata, spec } = (manifest ?? {}) as Manifest
  const found: string[] = []
  const demand = (holds: boolean, sentence: string): void => {
    if (!holds) found.push(sentence)
  }
  demand(apiVersion === 'krew.googlecontainertools.github.com/v1alpha2', 'apiVersion is not krew’s v1alpha2')
  demand(kind === 'Plugin', 'kind is not Plugin')
  const name = metadata?.name ?? ''
  demand(/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name), `the name "${name}" is not lower-case kebab`)
  demand(!name.startsWith('kube'), `the name "${name}" begins with kube`)
  demand(fileName === `${name}.yaml`, `the file is ${fileName}, not ${name}.yaml`)

  demand(
    /^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/.test(spec?.version ?? ''),
    'version is not a semantic one with a v',
  )
  demand((spec?.homepage ?? '').startsWith('https://'), 'homepage is no https address')
  const short = spec?.shortDescription ?? ''
  demand(short !== '', 'shortDescription is missing')
  demand(
    short.length <= MAX_SHORT_DESCRIPTION,
    `shortDescription has ${short.length} characters, 50 are the limit`,
  )
  demand(!/kubectl/i.test(short), 'shortDescription says kubectl')
  demand(
    !short.includes('\n') && !short.endsWith('.'),
    'shortDescription is not one phrase without a full stop',
  )
  const description = spec?.description ?? ''
  demand(description.trim() !== '', 'description is missing')
  demand(!/^\s*(?:usage|examples?|flags|options)\s*:/im.test(description), 'description holds a usage list')
  demand(
    !/^\s*\$?\s*kubectl\s/m.test(description),
    'description holds command lines, which belong into --help',
  )
  for (const [field, text] of Object.entries({ description, caveats: spec?.caveats ?? '' })) {
    const longest = Math.max(...text.split('\n').map((line) => line.length))
    demand(longest <= MAX_LINE, `${field} has a line of ${longest} characters, 80 are the limit`)
  }
  return [...found, ...platformViolations(spec?.platforms ?? [], spec?.version ?? '')]
}

function platformViolations(platforms: readonly Platform[], version: string): string[] {
  const found = platforms.length === 0 ? ['no platforms'] : []
  const seen = new Set<string>()
  for (const { selector, uri = '', sha256 = '', bin = '' } of platforms) {
    const { os = '', arch = '' } = selector?.matchLabels ?? {}
    const platform = `${os}/${arch}`
    const demand = (holds: boolean, sentence: string): void => {
      if (!holds) found.push(`${platform} ${sentence}`)
    }
    demand(SYSTEMS.has(os) && arch !== '', 'is selected by no known os and arch')
    demand(!seen.has(platform), 'stands twice')
    seen.add(platform)
    demand(/^https:\/\/\S+$/.test(uri), 'has no https uri')
    demand(/\.(?:tar\.gz|zip)$/.test(uri), 'has an archive that krew does not unpack')
    demand(uri.includes(`/${version}/`), 'points to an archive of another version')
    demand(/^[0-9a-f]{64}$/.test(sha256), 'has no sha256')
    demand(bin !== '' && !bin.startsWith('/') && !bin.includes('..'), 'names no program inside the archive')
    // krew links the program under the plugin's name, and Windows runs nothing but .exe that way (krew#131).
    demand((os === 'windows') === bin.endsWith('.exe'), 'has a program with the wrong ending for its system')
  }
  return found
}
