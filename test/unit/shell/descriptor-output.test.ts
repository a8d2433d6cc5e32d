import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openOutput } from '../../../src/cli/shell/descriptor-output.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

describe('output by descriptor', () => {
  let folder = ''
  const open: number[] = []
  const opened = (path: string, flags: number | string): number => {
    const fd = openSync(path, flags)
    open.push(fd)
    return fd
  }
  const close = (fd: number): void => {
    open.splice(open.indexOf(fd), 1)
    closeSync(fd)
  }
  const pipe = (): { reader: number; writer: number } => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const reader = opened(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return { reader, writer: opened(path, constants.O_WRONLY | constants.O_NONBLOCK) }
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-output-'))
  })
  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd)
    rmSync(folder, { recursive: true })
  })

  it('writes texts whole and in order, also those that nobody waited for', async () => {
    const file = join(folder, 'file')
    const output = await openOutput(opened(file, 'w'))
    const texts = Array.from({ length: 50 }, (_, index) => `${index} – ${'x'.repeat(index * 500)}\n`)
    await Promise.all(texts.map((text) => output.write(text)))
    assert.equal(readFileSync(file, 'utf8'), texts.join(''))
    assert.equal(output.isTerminal, false)
  })

  it('waits for a reader that is slow, even where the pipe does not', async () => {
    const { reader, writer } = pipe()
    const output = await openOutput(writer)
    const text = 'a line of the answer\n'.repeat(20_000)
    let done = false
    const writing = output.write(text).then(() => (done = true))
    await delay(20)
    assert.equal(done, false)
    const read: Buffer[] = []
    for (let length = 0; length < text.length;) {
      const buffer = Buffer.alloc(64 * 1024)
      const taken = tryRead(reader, buffer)
      if (taken === 0) await delay(1)
      length += taken
      read.push(buffer.subarray(0, taken))
    }
    await writing
    assert.equal(Buffer.concat(read).toString(), text)
  })

  it('ends quietly when the reader has gone', async () => {
    const { reader, writer } = pipe()
    const output = await openOutput(writer)
    close(reader)
    assert.equal(output.closed.aborted, false)
    await output.write('a line that nobody reads\n')
    assert.equal(output.closed.aborted, true)
    await output.write('another\n')
  })

  it('tells of a disk that is full', async () => {
    const output = await openOutput(opened('/dev/full', 'w'))
    await assert.rejects(output.write('a line\n'), (error) => {
      assert.ok(error instanceof DeckError)
      assert.equal(error.code, 'OUTPUT')
      assert.match(error.message, /no space left/)
      return true
    })
    assert.equal(output.closed.aborted, false)
  })
})

function tryRead(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}
