import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { installPackages } from './debian-package.ts'
import { CertificateAuthority } from './kubernetes/certificates.ts'
import { Daemon } from './kubernetes/daemon.ts'
import { freePorts } from './kubernetes/free-ports.ts'
import { RunFolder, sweepLeftovers } from './kubernetes/run-folder.ts'
import { untilReady } from './kubernetes/until-ready.ts'
import { asPostgresUser, PostgresFolder, removeLeftFolders } from './postgres-folder.ts'
import { skip } from './skip.ts'

const VERSIONS = '/usr/lib/postgresql'

/** A real PostgreSQL of its own, on 127.0.0.1 with TLS and a password, with data in a temporary folder. */
export interface PostgresServer {
  readonly port: number
  readonly password: string
  /** Of its certificate's authority, which names 127.0.0.1 and not localhost. */
  readonly caFile: string
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>
  /** Deletes all rows that deckwatch has kept in a database, not its tables. */
  emptyTables(url: string): Promise<void>
  dropDatabase(url: string): Promise<void>
  /** All bytes of a database's tables, after what is in memory is written. */
  bytes(url: string): Promise<Buffer>
  /** Runs one statement as the owner, in a database. */
  ask(url: string, text: string): Promise<readonly Record<string, unknown>[]>
  /** SIGKILL of all its processes: as after a power loss of them, not of the disk. */
  kill(): Promise<void>
  /** Starts it again after `kill`, with the same port and data. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** Starts a PostgreSQL; skips where Debian's package is missing and cannot be installed. */
export async function requirePostgres(context: Mocha.Context): Promise<PostgresServer> {
  if (!programs()) installPackages(['postgresql'])
  const folder = programs()
  if (folder === undefined) skip(context, 'needs PostgreSQL (as root on Debian: apt-get install postgresql)')
  return startPostgres(folder)
}

/** The folder of the newest version's programs. */
function programs(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : []
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')))
}

async function startPostgres(bin: string): Promise<PostgresServer> {
  await sweepLeftovers()
  removeLeftFolders()
  const run = new RunFolder('postgres')
  const data = new PostgresFolder()
  try {
    return await Server.start(bin, run, data)
  } catch (error) {
    run.remove()
    data.remove()
    throw error
  }
}

class Server implements PostgresServer {
  readonly port: number
  readonly password: string
  readonly caFile: string
  readonly #daemon: Daemon
  readonly #run: RunFolder
  readonly #data: PostgresFolder

  private constructor(bin: string, run: RunFolder, data: PostgresFolder, port: number, password: string) {
    this.port = port
    this.password = password
    this.caFile = run.file('ca.crt')
    this.#run = run
    this.#data = data
    const settings = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ssl: 'on',
      ssl_cert_file: data.file('server.crt'),
      ssl_key_file: data.file('server.key'),
      max_connections: '60',
      shared_buffers: '32MB',
      logging_collector: 'off',
      // What it acknowledged need not survive the end of the host, only its own.
      fsync: 'off',
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const command = [...asPostgresUser(), join(bin, 'postgres'), '-D', data.file('data'), ...flags]
    this.#daemon = new Daemon({ name: 'postgres', command, folder: run })
  }

  static async start(bin: string, run: RunFolder, data: PostgresFolder): Promise<Server> {
    const [port = 0] = await freePorts(1)
    const password = randomBytes(12).toString('base64url')
    const secret = data.write('password', password)
    const authority = new CertificateAuthority('postgres')
    const { certificate, key } = authority.issue({
      commonName: 'postgres',
      hosts: ['127.0.0.1'],
    })
    data.write('server.crt', certificate)
    data.write('server.key', key)
    const [command, ...args] = [...asPostgresUser(), join(bin, 'initdb')]
    const init = spawnSync(
      command ?? '',
      [
        ...args,
        '-D',
        data.file('data'),
        '-U',
        'deckwatch',
        '-A',
        'scram-sha-256',
        `--pwfile=${secret}`,
        '-E',
        'UTF8',
        '--locale=C',
      ],
      { encoding: 'utf8', cwd: data.path },
    )
    if (init.status !== 0) throw new Error(`initdb failed: ${init.stderr}`)
    const server = new Server(bin, run, data, port, password)
    writeFileSync(server.caFile, authority.certificate)
    await server.start()
    return server
  }

  async start(): Promise<void> {
    this.#daemon.start()
    await untilReady(this.#daemon, () => this.#ask('postgres', 'SELECT 1'))
  }

  async kill(): Promise<void> {
    await this.#daemon.kill()
  }

  async stop(): Promise<void> {
    await this.kill()
    this.#run.remove()
    this.#data.remove()
  }

  async createDatabase(): Promise<string> {
    const name = `d${randomBytes(6).toString('hex')}`
    await this.#ask('postgres', `CREATE DATABASE ${name}`)
    return `postgres://deckwatch:${this.password}@127.0.0.1:${this.port}/${name}?sslmode=verify-full&sslrootcert=${this.caFile}`
  }

  async emptyTables(url: string): Promise<void> {
    const tables = await this.ask(
      url,
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'`,
    )
    if (tables.length > 0)
      await this.ask(url, `TRUNCATE ${tables.map(({ tablename }) => String(tablename)).join(', ')}`)
  }

  async dropDatabase(url: string): Promise<void> {
    await this.#ask('postgres', `DROP DATABASE ${nameOf(url)} WITH (FORCE)`)
  }

  async bytes(url: string): Promise<Buffer> {
    await this.#ask('postgres', 'CHECKPOINT')
    const [row] = await this.ask(url, 'SELECT oid FROM pg_database WHERE datname = current_database()')
    const folder = this.#data.file('data', 'base', String(row?.['oid']))
    return Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))))
  }

  ask(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
    return this.#ask(nameOf(url), text)
  }

  async #ask(database: string, text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'deckwatch',
      password: this.password,
      database,
      connectionTimeoutMillis: 2000,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query<Record<string, unknown>>(text)
      return rows
    } finally {
      await client.end().catch(() => {})
    }
  }
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1)
}
