import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { CATALOG } from '../src/cli/commands/catalog.ts'
import { commandReference, type DocumentedCommand } from './docs/command-reference.ts'

// Writes docs/PLUGIN.md for each plugin; with --check it only tells which of them is not what it would write.
const docs = fileURLToPath(new URL('../docs', import.meta.url))
const onlyCheck = process.argv.includes('--check')

await mkdir(docs, { recursive: true })
for (const [plugin, entries] of Map.groupBy(CATALOG, ({ words }) => words[0])) {
  const commands = new Map<string, DocumentedCommand>()
  for (const { words, load } of entries) {
    commands.set(words.join(' '), await load())
  }
  const file = join(docs, `${plugin}.md`)
  const text = commandReference(commands)
  if (!onlyCheck) {
    await writeFile(file, text)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`docs/${plugin}.md is not what the commands say: run npm run docs`)
    process.exitCode = 1
  }
}
