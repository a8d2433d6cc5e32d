import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../server/main.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

describe('the program of the companion', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-main-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const start = (...args: string[]) =>
    spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'], HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const run = async (...args: string[]): Promise<Ended> => {
    const child = start(...args)
    const closed = once(child, 'close')
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    await closed
    return { code: child.exitCode, stdout, stderr }
  }

  it('says what it can be told, and its version', async () => {
    const [help, version] = await Promise.all([run('--help'), run('--version')])
    assert.deepEqual([help.code, help.stderr, version.code, version.stderr], [0, '', 0, ''])
    assert.match(help.stdout, /--components \(api,image-graph\)/)
    assert.match(version.stdout, /^deckwatch-server \S+\n$/)
  })

  it('ends with 2 and every mistake where it is told something wrong', async () => {
    const { code, stdout, stderr } = await run('--log-level=loud', '--colour=red')
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^error: --colour "red": .*\n--log-level "loud": .*\[USAGE\]\n.*--help/)
  })

  it('says which kubeconfig it cannot read', async () => {
    const { code, stdout } = await run('--kubeconfig', join(folder, 'none'))
    assert.equal(code, 3)
    const said = JSON.parse(stdout) as { message: string; err: { message: string } }
    assert.equal(said.message, 'cannot start')
    assert.ok(said.err.message.includes(join(folder, 'none')))
  })

  it('waits for an API server that nobody can reach, and ends when asked', async () => {
    const kubeconfig = join(folder, 'kubeconfig')
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
        contexts: [{ name: 'x', context: { cluster: 'x' } }],
        'current-context': 'x',
      }),
    )
    const loopback = ['--api-address=127.0.0.1:0', '--metrics-address=']
    const child = start('--kubeconfig', kubeconfig, '--data', folder, '--shutdown-grace=2s', ...loopback)
    const closed = once(child, 'close')
    let log = ''
    for await (const chunk of child.stdout) {
      log += String(chunk)
      if (/watch lost/.test(log) && !child.killed) child.kill('SIGTERM')
    }
    await closed
    assert.equal(child.exitCode, 0, log)
    assert.match(log, /"message":"ended"\}\n$/)
  })
})
