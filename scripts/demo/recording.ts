import { readFileSync, writeFileSync } from 'node:fs'

const START = '<!-- recorded:start -->'
const END = '<!-- recorded:end -->'

/** Keeps what the demo shows, as Markdown: headings, and a sentence and a block for each command. */
export class Recording {
  readonly #blocks: string[] = []

  /** Begins a chapter. */
  begin(title: string): void {
    this.#blocks.push(`### ${title}\n`)
  }

  /** Adds one command with all that it printed. */
  add(caption: string, command: string, output: string): void {
    this.#blocks.push(`${caption}:\n\n\`\`\`\n$ ${command}\n${output.trimEnd()}\n\`\`\`\n`)
  }

  /** Writes it to a file: between the markers where it has them, else as the whole of it. */
  write(file: string): void {
    const text = this.#blocks.join('\n')
    let before: string
    try {
      before = readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      before = ''
    }
    const [start, end] = [before.indexOf(START), before.indexOf(END)]
    if (start < 0 || end < start) return writeFileSync(file, text)
    writeFileSync(file, `${before.slice(0, start + START.length)}\n${text}${before.slice(end)}`)
  }
}
