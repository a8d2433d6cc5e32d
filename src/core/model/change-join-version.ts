/** Whether a resourceVersion is older than another of the same resource: they are decimal numbers (KEP-5504). */
export function isOlderVersion(version: string, than: string): boolean {
  return version.length === than.length ? version < than : version.length < than.length
}
