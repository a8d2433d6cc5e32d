import { existsSync, readFileSync } from 'node:fs'
import { Client } from 'pg'
import { installPackages } from './debian-package.ts'
import { CertificateAuthority } from './kubernetes/certificates.ts'
import { Daemon } from './kubernetes/daemon.ts'
import { freePorts } from './kubernetes/free-ports.ts'
import { RunFolder } from './kubernetes/run-folder.ts'
import { untilReady } from './kubernetes/until-ready.ts'
import { asPostgresUser, PostgresFolder } from './postgres-folder.ts'
import type { PostgresServer } from './postgres.ts'
import { skip } from './skip.ts'

const PROGRAM = '/usr/sbin/pgbouncer'
const POOL = 4

/** A real PgBouncer in transaction mode before a PostgreSQL: each transaction gets another of its few sessions. */
export interface PgBouncer {
  /** Sessions that it keeps of one role in one database, at most. */
  readonly sessions: number
  /** The address of the same database through it. */
  through(url: string): string
  /** SIGKILL; its sessions end with it. */
  kill(): Promise<void>
  /** Starts it again after `kill`, with the same port. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts a PgBouncer; skips where Debian's package is missing and cannot be installed. */
export async function requirePgBouncer(context: Mocha.Context, server: PostgresServer): Promise<PgBouncer> {
  if (!existsSync(PROGRAM)) installPackages(['pgbouncer'])
  if (!existsSync(PROGRAM)) skip(context, 'needs PgBouncer (as root on Debian: apt-get install pgbouncer)')
  const [run, folder] = [new RunFolder('pgbouncer'), new PostgresFolder()]
  try {
    return await startPgBouncer(server, run, folder)
  } catch (error) {
    run.remove()
    folder.remove()
    throw error
  }
}

async function startPgBouncer(
  server: PostgresServer,
  run: RunFolder,
  folder: PostgresFolder,
): Promise<PgBouncer> {
  const [port = 0] = await freePorts(1)
  const authority = new CertificateAuthority('pgbouncer')
  const { certificate, key } = authority.issue({ commonName: 'pgbouncer', hosts: ['127.0.0.1'] })
  const caFile = folder.write('ca.crt', authority.certificate)
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    pool_mode: 'transaction',
    default_pool_size: POOL,
    max_client_conn: 200,
    // Never the session of before, where there is another.
    server_round_robin: 1,
    // Tests make many databases, and PostgreSQL has few connections.
    server_idle_timeout: 5,
    server_login_retry: 1,
    // Else a statement waits two minutes for a database that is down, and deckwatch half a minute for its answer.
    query_wait_timeout: 2,
    auth_type: 'scram-sha-256',
    auth_file: folder.write('users.txt', `"deckwatch" "${server.password}"\n`),
    auth_user: 'deckwatch',
    client_tls_sslmode: 'require',
    client_tls_cert_file: folder.write('pooler.crt', certificate),
    client_tls_key_file: folder.write('pooler.key', key),
    server_tls_sslmode: 'verify-full',
    server_tls_ca_file: folder.write('server-ca.crt', readFileSync(server.caFile, 'utf8')),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  const ini = ['[databases]', `* = host=127.0.0.1 port=${server.port}`, '[pgbouncer]', ...lines, '']
  const command = [...asPostgresUser(), PROGRAM, folder.write('pgbouncer.ini', ini.join('\n'))]
  const daemon = new Daemon({ name: 'pgbouncer', command, folder: run })
  const through = (url: string): string => {
    const other = new URL(url)
    other.port = String(port)
    other.searchParams.set('sslrootcert', caFile)
    return other.href
  }
  const start = async (): Promise<void> => {
    daemon.start()
    await untilReady(daemon, () => answers(port, server.password))
  }
  await start()
  return {
    sessions: POOL,
    through,
    kill: () => daemon.kill(),
    start,
    async stop() {
      await daemon.kill()
      run.remove()
      folder.remove()
    },
  }
}

async function answers(port: number, password: string): Promise<void> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'deckwatch',
    password,
    database: 'postgres',
    connectionTimeoutMillis: 2000,
    ssl: { rejectUnauthorized: false },
  })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
  } finally {
    await client.end().catch(() => {})
  }
}
