/** What of package.json people who install the package need; the rest is for developers. */
const PUBLISHED_FIELDS = [
  'name',
  'version',
  'description',
  'homepage',
  'repository',
  'license',
  'engines',
  'bin',
]

/** The package.json of the published package, made from the repository's. */
export function publishedManifest(manifest: string): string {
  const fields = JSON.parse(manifest) as Record<string, unknown>
  const published = Object.fromEntries(PUBLISHED_FIELDS.map((field) => [field, fields[field]]))
  return `${JSON.stringify(published, undefined, 2)}\n`
}
