import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** By what a journal proves that a writer's number is its own: a random text beside it, made the first time. */
export function journalOwner(folder: string, writer: number): string {
  const file = join(folder, `writer-${writer}.owner`)
  try {
    const owner = readFileSync(file, 'utf8')
    if (owner.length === LENGTH) return owner
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const owner = randomBytes(LENGTH / 2).toString('hex')
  const descriptor = openSync(file, 'w', 0o600)
  try {
    writeSync(descriptor, owner)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return owner
}

const LENGTH = 32
