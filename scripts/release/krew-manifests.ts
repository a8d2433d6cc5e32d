import { isSeq, parseAllDocuments } from 'yaml'
import { krewViolations } from '../krew-rules.ts'
import type { Target } from './targets.ts'

/** A target's archive as it was written. */
export interface Archive {
  readonly target: Target
  readonly name: string
  readonly sha256: string
}

/** Splits the template into one manifest per plugin, by file name; throws where one breaks a rule of krew. */
export function krewManifests(
  template: string,
  version: string,
  archives: readonly Archive[],
): ReadonlyMap<string, string> {
  const manifests = new Map<string, string>()
  for (const document of parseAllDocuments(template)) {
    if (!('contents' in document) || document.errors.length > 0) {
      throw new Error(`krew-manifest.yaml: ${document.errors.map(({ message }) => message).join('; ')}`)
    }
    const platforms = document.getIn(['spec', 'platforms'])
    const entry: unknown = isSeq(platforms) ? platforms.items[0] : undefined
    if (entry === undefined)
      throw new Error('krew-manifest.yaml: a plugin without the entry of platforms to repeat')
    const pattern = JSON.stringify(document.createNode(entry).toJSON())
    document.setIn(
      ['spec', 'platforms'],
      document.createNode(archives.map((archive) => JSON.parse(fillIn(pattern, archive)) as unknown)),
    )
    const text = document
      .toString({ lineWidth: 0 })
      // What the template says to its editors.
      .replace(/^(?:#.*\n)+/, '')
      .replaceAll('VERSION', version)
    const name = `${String(document.getIn(['metadata', 'name']))}.yaml`
    const violations = krewViolations(name, parseAllDocuments(text)[0]?.toJSON())
    if (violations.length > 0) throw new Error(`${name} breaks krew's rules: ${violations.join('; ')}`)
    manifests.set(name, text)
  }
  return manifests
}

function fillIn(pattern: string, { target, name, sha256 }: Archive): string {
  const values: Readonly<Record<string, string>> = {
    OS: target.os,
    ARCH: target.arch,
    ARCHIVE: name,
    SHA256: sha256,
    PROGRAM: target.os === 'windows' ? 'deckwatch.exe' : 'deckwatch',
  }
  return pattern.replaceAll(/\b(?:OS|ARCH|ARCHIVE|SHA256|PROGRAM)\b/g, (word) => values[word] ?? word)
}
