import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeForms } from '../kit/cli-forms.ts'
import { type FakeApi, startFakeApi } from '../kit/fake-api/fake-api.ts'
import { GoldenSession } from '../kit/golden.ts'
import type { CliResult } from '../kit/run-cli.ts'
import { words } from './command-line.ts'
import { plainly } from './plainly.ts'
import { shopCluster } from './shop-cluster.ts'

const WRONG_USAGE = [
  "-o 'jsonpath={.items[}'",
  "-o 'jsonpath={.items[*].image.name'",
  '-o jsonpath',
  '-o jsonpath=',
  "-A -o 'jsonpath={.items[99].image}'",
  '-o custom-columns=IMAGE',
  '-o custom-columns=',
  '-o xml',
  '-o ',
  '-c 9',
  '-c 0,',
  '-c image,colour',
  '-c 1 --by pod',
  '-u --by image',
  '--by flavour',
  '--match name x',
  '--companion maybe',
  '--color blue',
  '--sort-by colour',
  '--sort-by {.a',
  '-A --sort-by .colour',
  '--verbose',
  '--no-initial',
  '--follow --by pod',
  '--follow -u',
  '--follow -o yaml',
  '--follow --sort-by size',
  '--bogus',
  '-Z',
  '-A --folow',
  'a b',
  'a -- b',
  '-n',
  '-A --sort-by',
  '-o json --kubeconfig',
  '--request-timeout 5x',
  '--context nope',
  '--cluster nope',
  '--user nope',
  '--as-group devs',
  '--as dev --as-user-extra novalue',
  '-n shop -l a=b=c',
  '-A --field-selector metadata.colour=red',
  '-A --follow -l a=b=c',
]

/** Kubeconfigs that cannot be used, by file name. */
const KUBECONFIGS: Readonly<Record<string, string>> = {
  'tab.yaml': 'apiVersion: v1\nclusters:\n\t- name: x\n',
  'list.yaml': '- a\n- b\n',
  'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n',
  'number.yaml': 'apiVersion: v1\nclusters: 7\n',
  'binary.yaml': '\u0000\u0001\u001b[31m\n',
  'empty.yaml': '',
  'no-current-context.yaml':
    'apiVersion: v1\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\ncontexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n',
  'dangling.yaml':
    'apiVersion: v1\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: gone, user: u}}]\nusers: [{name: u, user: {}}]\n',
  'no-user.yaml':
    'apiVersion: v1\ncurrent-context: a\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\ncontexts: [{name: a, context: {cluster: c, user: gone}}]\n',
  'server.yaml':
    'apiVersion: v1\ncurrent-context: a\nclusters: [{name: c, cluster: {server: "ftp://x"}}]\ncontexts: [{name: a, context: {cluster: c}}]\n',
  'ca-missing.yaml':
    'apiVersion: v1\ncurrent-context: a\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority: gone.crt}}]\ncontexts: [{name: a, context: {cluster: c}}]\n',
  'base64.yaml':
    'apiVersion: v1\ncurrent-context: a\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority-data: "%%%"}}]\ncontexts: [{name: a, context: {cluster: c}}]\n',
  'exec-missing.yaml':
    'apiVersion: v1\ncurrent-context: a\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never, installHint: "Get it from example.org"}}}]\n',
  'exec-fails.yaml':
    'apiVersion: v1\ncurrent-context: a\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", "echo please log in >&2; exit 7"], interactiveMode: Never}}}]\n',
}

const BAD_KUBECONFIGS = [...Object.keys(KUBECONFIGS), 'folder.yaml', 'gone.yaml']

/** A line that ends in a blank has an empty word at its end. */
function wordsOf(line: string): string[] {
  return line.endsWith(' ') ? [...words(line), ''] : words(line)
}

describe('bad input', () => {
  const golden = new GoldenSession(fileURLToPath(new URL('golden/bad-input.txt', import.meta.url)))
  let api: FakeApi
  before(async () => {
    api = await startFakeApi({ objects: shopCluster() })
  })
  after(async () => {
    await api.stop()
    await golden.save()
  })

  describeForms('to', (cli) => {
    let env: Record<string, string>
    let resultOf: (line: string) => Promise<CliResult>
    before(async () => {
      env = { KUBECONFIG: await api.writeKubeconfig(cli().folder) }
      for (const [name, text] of Object.entries(KUBECONFIGS)) await writeFile(join(cli().folder, name), text)
      await mkdir(join(cli().folder, 'folder.yaml'))
      const wrongUsage = WRONG_USAGE.map((line) => [line, wordsOf(line), { env }] as const)
      const kubeconfigs = BAD_KUBECONFIGS.map((name) => [name, ['-k', name]] as const)
      resultOf = cli().runAhead([...wrongUsage, ...kubeconfigs])
    })

    for (const line of WRONG_USAGE) {
      it(`kubectl images ${line}`, async () => {
        const result = await resultOf(line)
        await golden.check(`kubectl images ${line}`, plainly(result, api, cli()))
        assert.equal(result.exitCode, 2)
        assert.equal(result.stdout, '')
      })
    }

    it('a REGEX that is none', async () => {
      const result = await cli().run(['-A', '(nginx'], { env })
      assert.equal(result.exitCode, 2)
      // The reason itself is the JavaScript engine's.
      assert.match(
        result.stderr,
        /^error: REGEX "\(nginx" is no regular expression: [A-Za-z )]+ \[USAGE\]\n.*\n$/,
      )
    })

    for (const name of BAD_KUBECONFIGS) {
      it(`a kubeconfig: ${name}`, async () => {
        const result = await resultOf(name)
        await golden.check(`kubectl images -k ${name}`, plainly(result, api, cli()))
        assert.equal(result.exitCode, name === 'no-current-context.yaml' ? 2 : 3)
        assert.equal(result.stdout, '')
      })
    }

    it('no kubeconfig at all', async () => {
      await golden.check('kubectl images', plainly(await cli().run([]), api, cli()))
      const lost = await cli().run(['-A'], { env: { KUBECONFIG: '/nowhere/a:/nowhere/b' } })
      await golden.check('KUBECONFIG=/nowhere/a:/nowhere/b kubectl images -A', lost)
      assert.equal(lost.exitCode, 3)
    })

    it('no KUBECONFIG that is of any use, where --kubeconfig is given', async () => {
      const kubeconfig = join(cli().folder, 'fake.kubeconfig')
      const result = await cli().run(['-n', 'staging', '-o', 'name', 'redis', '-k', kubeconfig], {
        env: { KUBECONFIG: join(cli().folder, 'tab.yaml') },
      })
      assert.deepEqual(result, { stdout: 'redis:7\n', stderr: '', exitCode: 0, signal: undefined })
    })
  })
})
