import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** apt with a state of its own: the machine's package lists, caches and hooks are neither used nor changed. */
export class PrivateApt {
  readonly #folder: string
  readonly #environment: NodeJS.ProcessEnv

  private constructor(folder: string) {
    this.#folder = folder
    this.#environment = { ...process.env, LC_ALL: 'C', APT_CONFIG: join(folder, 'apt.conf') }
  }

  /** Reads the package lists of a Debian release for these architectures from the mirrors that this machine uses. */
  static async open(release: string, architectures: readonly string[]): Promise<PrivateApt> {
    const sources = await debianSources(release)
    const folder = await mkdtemp(join(tmpdir(), 'deckwatch-apt-'))
    const apt = new PrivateApt(folder)
    try {
      for (const name of ['parts', 'state/lists/partial', 'cache/archives/partial', 'packages']) {
        await mkdir(join(folder, name), { recursive: true })
      }
      await writeFile(join(folder, 'status'), '')
      const options = `signed-by=${KEYRING} arch=${architectures.join(',')}`
      await writeFile(
        join(folder, 'sources.list'),
        sources.map((source) => `deb [${options}] ${source}\n`).join(''),
      )
      await writeFile(join(folder, 'apt.conf'), await configuration(folder, architectures))
      await apt.#run('update')
      return apt
    } catch (error) {
      await apt.close()
      throw error
    }
  }

  /** Downloads one package, `libc6:arm64` or `libc6:arm64=VERSION`, which apt has checked; gives the file's path. */
  async download(spec: string): Promise<string> {
    const folder = await mkdtemp(join(this.#folder, 'packages', 'one-'))
    await this.#run('download', spec, folder)
    const [file] = await readdir(folder)
    if (file === undefined) throw new Error(`apt-get download ${spec} brought nothing`)
    return join(folder, file)
  }

  /** Removes all of it, packages too. */
  close(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true })
  }

  async #run(verb: 'update' | 'download', spec?: string, cwd = this.#folder): Promise<void> {
    const args = ['--quiet', verb, ...(spec === undefined ? [] : [spec])]
    await run('apt-get', args, { cwd, env: this.#environment })
  }
}

/** `URI SUITE COMPONENT` of each of this machine's own sources of a Debian release, its updates and security fixes. */
async function debianSources(release: string): Promise<string[]> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  let listing: string
  try {
    ;({ stdout: listing } = await run('apt-get', [
      'indextargets',
      '--format',
      format,
      'Identifier: Packages',
    ]))
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const what = missing ? 'apt-get is not on PATH' : (cause as Error).message.trim()
    throw new Error(
      `the image is made of packages of Debian ${release}, and ${what}; elsewhere there is server/deploy/Dockerfile`,
      { cause },
    )
  }
  const suites = new Set([release, `${release}-updates`, `${release}-security`])
  const sources = [...new Set(listing.split('\n'))].filter((source) => {
    const [, suite = '', component] = source.split(' ')
    return suites.has(suite) && component === 'main'
  })
  if (sources.length > 0) return sources
  throw new Error(
    `the image is made of packages of Debian ${release}, and apt has no source of it on this machine; ` +
      'elsewhere there is server/deploy/Dockerfile',
  )
}

/** How this machine gets at its mirrors (proxies, times) stays; hooks and further indexes do not. */
async function configuration(folder: string, architectures: readonly string[]): Promise<string> {
  const { stdout } = await run('apt-config', ['dump'])
  const access = stdout.split('\n').filter((line) => /^Acquire::(?!IndexTargets|Changelogs)/.test(line))
  return `${access.join('\n')}
Dir::State "${folder}/state";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "${folder}/parts";
Dir::Etc::preferences "${folder}/none";
Dir::Etc::preferencesparts "${folder}/parts";
Dir::Etc::main "${folder}/none";
Dir::Etc::parts "${folder}/parts";
APT::Architectures { ${architectures.map((name) => `"${name}";`).join(' ')} };
APT::Sandbox::User "";
APT::Install-Recommends "false";
`
}
