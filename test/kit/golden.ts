import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import type { CliResult } from './run-cli.ts'

const UPDATE = process.env['UPDATE_GOLDEN'] === '1'

/**
 * A file that reads like a terminal session: command lines after `$ `, what each printed, lines of stderr after `2> `,
 * and the exit code. With UPDATE_GOLDEN=1 it is written anew from what the tests see; read it before you commit it.
 */
export class GoldenSession {
  readonly #path: string
  #sections: Map<string, string> | undefined
  readonly #seen = new Map<string, string>()

  constructor(path: string) {
    this.#path = path
  }

  /** Compares a run with its section. */
  async check(command: string, result: CliResult): Promise<void> {
    const text = transcript(command, result)
    if (UPDATE) {
      const earlier = this.#seen.get(command)
      if (earlier === undefined) this.#seen.set(command, text)
      else assert.equal(text, earlier, 'two runs of one command differ')
      return
    }
    this.#sections ??= sectionsOf(await readFile(this.#path, 'utf8'))
    assert.equal(text, this.#sections.get(command) ?? '', `${this.#path} (UPDATE_GOLDEN=1 writes it anew)`)
  }

  /** Writes the file where it was asked for; call it when the tests of the file have run. */
  async save(): Promise<void> {
    if (!UPDATE || this.#seen.size === 0) return
    await mkdir(dirname(this.#path), { recursive: true })
    await writeFile(this.#path, [...this.#seen.values()].join('\n'))
  }
}

function transcript(command: string, { stdout, stderr, exitCode, signal }: CliResult): string {
  const out = stdout === '' || stdout.endsWith('\n') ? stdout : `${stdout}⏎ (no line feed)\n`
  const err = stderr.replaceAll(/^(?!$)/gm, '2> ')
  return `$ ${command}\n${out}${err}[exit ${signal ?? exitCode}]\n`
}

function sectionsOf(text: string): Map<string, string> {
  const sections = text.split(/^(?=\$ )/m)
  return new Map(
    sections.map((section) => {
      const [head = ''] = section.split('\n', 1)
      return [head.slice(2), section.replace(/\n\n$/, '\n')]
    }),
  )
}
