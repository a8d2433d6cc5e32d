/** The words of a command line as a shell reads it, with single quotes only: `-A --by pod 'a b'`. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''))
}
