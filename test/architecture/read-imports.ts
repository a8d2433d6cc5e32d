import { parseSync, Visitor } from 'oxc-parser'

/** One edge out of a source file, with where it stands. */
export interface Import {
  readonly specifier: string
  readonly line: number
  /** Erased before the code runs: `import type`, `export type` or `typeof import()`. */
  readonly typeOnly: boolean
  /** Loaded when the line is reached: `await import()`. */
  readonly dynamic: boolean
}

/** What the rules need to know of one source file. */
export interface SourceFacts {
  readonly imports: readonly Import[]
  readonly undocumentedExports: readonly { readonly name: string; readonly line: number }[]
  /** Lines of top-level `let` and `var`. */
  readonly mutableState: readonly number[]
  readonly lines: number
}

/** Parses one TypeScript file; throws where the parser does not understand all of it. */
export function readSource(path: string, text: string): SourceFacts {
  const { module, program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join('; ')}`)
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length

  const imports: Import[] = []
  const add = (specifier: string, start: number, kind: { typeOnly?: boolean; dynamic?: boolean }) =>
    imports.push({ specifier, line: lineAt(start), typeOnly: false, dynamic: false, ...kind })
  // `import { type A } from 'x'` loads x when it runs, so only the statement's own `type` counts.
  const isErased = (start: number) => /^(?:import|export)\s+type\b/.test(text.slice(start, start + 20))
  for (const { moduleRequest, start } of module.staticImports) {
    add(moduleRequest.value, start, { typeOnly: isErased(start) })
  }
  for (const { entries, start } of module.staticExports) {
    const from = entries.find(({ moduleRequest }) => moduleRequest)?.moduleRequest
    if (from) add(from.value, start, { typeOnly: isErased(start) })
  }
  new Visitor({
    ImportExpression({ source, start }) {
      if (source.type === 'Literal' && typeof source.value === 'string') {
        add(source.value, start, { dynamic: true })
      } else {
        add('(computed)', start, { dynamic: true })
      }
    },
    TSImportType({ source, start }) {
      add(source.value, start, { typeOnly: true })
    },
  }).visit(program)

  const documented = (start: number) =>
    comments.some(
      ({ type, value, end }) =>
        type === 'Block' && value.startsWith('*') && end <= start && text.slice(end, start).trim() === '',
    )
  const seen = new Set<string>()
  const undocumentedExports: { name: string; line: number }[] = []
  for (const { entries, start } of module.staticExports) {
    const [entry] = entries
    if (!entry || entry.moduleRequest) continue
    const name = entry.exportName.name ?? 'default'
    // Overloads are one export; the comment stands above the first.
    if (!seen.has(name) && !documented(start)) undocumentedExports.push({ name, line: lineAt(start) })
    seen.add(name)
  }

  const mutableState = program.body
    .map((node) => (node.type === 'ExportNamedDeclaration' && node.declaration ? node.declaration : node))
    .filter((node) => node.type === 'VariableDeclaration' && (node.kind === 'let' || node.kind === 'var'))
    .map(({ start }) => lineAt(start))

  return { imports, undocumentedExports, mutableState, lines: text.trimEnd().split('\n').length }
}
