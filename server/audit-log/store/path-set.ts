/** A path with its brackets' contents taken out: `spec.containers[*].image` and `name=app`. */
export interface SplitPath {
  readonly template: string
  readonly fills: readonly string[]
}

/** Takes the entries and written-out keys from a path, so that what is left is the same for many objects. */
export function splitPath(path: string): SplitPath {
  const fills: string[] = []
  let template = ''
  for (let at = 0; at < path.length;) {
    const open = path.indexOf('[', at)
    if (open < 0) {
      template += path.slice(at)
      break
    }
    const close = closingBracket(path, open + 1)
    template += `${path.slice(at, open)}[*]`
    fills.push(path.slice(open + 1, close))
    at = close + 1
  }
  return { template, fills }
}

/** The path that was split. */
export function joinPath({ template, fills }: SplitPath): string {
  let next = 0
  return template.replaceAll('[*]', () => `[${fills[next++] ?? ''}]`)
}

/** Where a bracket ends: not within a JSON string. */
function closingBracket(path: string, from: number): number {
  let quoted = false
  for (let at = from; at < path.length; at++) {
    const char = path[at]
    if (quoted && char === '\\') at += 1
    else if (char === '"') quoted = !quoted
    else if (char === ']' && !quoted) return at
  }
  throw new RangeError(`"${path}" is no path: a bracket does not end`)
}
