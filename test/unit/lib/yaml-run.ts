import { stdin, stdout } from 'node:process'
import { parseYaml, YamlError } from '../../../src/core/lib/yaml.ts'

/** What the door says of one text. */
export type Reading = { readonly value: unknown } | { readonly line: number | undefined }

/** Reads each text through the door. */
export async function readings(texts: readonly string[]): Promise<Reading[]> {
  return Promise.all(
    texts.map(async (text) => {
      try {
        return { value: await parseYaml(text) }
      } catch (error) {
        if (error instanceof YamlError) return { line: error.line }
        throw error
      }
    }),
  )
}

// Run by Bun, where the door may use the native reader: texts in, readings out.
if ('Bun' in globalThis) {
  let text = ''
  for await (const chunk of stdin) text += String(chunk)
  stdout.write(JSON.stringify(await readings(JSON.parse(text) as string[])))
}
