import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { needCommand } from '../../kit/debian-package.ts'

const run = promisify(execFile)

/** Certificates for loopback servers and their clients, made by openssl in a folder of their own. */
export interface Certificates {
  readonly folder: string
  /** Path of `NAME.crt` or `NAME.key`. */
  path(file: string): string
  text(file: string): Promise<string>
  remove(): Promise<void>
}

/** Runs openssl in the folder; words are parted by blanks. */
async function openssl(folder: string, words: string): Promise<void> {
  await run('openssl', words.split(' '), { cwd: folder })
}

async function authority(folder: string, name: string): Promise<void> {
  await openssl(folder, `ecparam -name prime256v1 -genkey -noout -out ${name}.key`)
  await openssl(folder, `req -x509 -new -key ${name}.key -days 2 -subj /CN=${name} -out ${name}.crt`)
}

async function leaf(
  folder: string,
  name: string,
  subject: string,
  {
    authority: issuer = 'ca',
    extensions,
    days = 2,
  }: { authority?: string; extensions: string; days?: number },
): Promise<void> {
  await writeFile(join(folder, `${name}.ext`), extensions)
  await openssl(folder, `ecparam -name prime256v1 -genkey -noout -out ${name}.key`)
  await openssl(folder, `req -new -key ${name}.key -subj ${subject} -out ${name}.csr`)
  const authorized = `-CA ${issuer}.crt -CAkey ${issuer}.key -CAcreateserial`
  await openssl(
    folder,
    `x509 -req -in ${name}.csr ${authorized} -days ${days} -extfile ${name}.ext -out ${name}.crt`,
  )
}

/**
 * `ca` and a stranger `other-ca`; servers `server` (localhost, kube.test, 127.0.0.1) and `server-ended`; clients
 * `alice`, `bob`, `alice-ended`, and `stranger` of the other authority. Skips the suite where openssl is missing and cannot be
 * installed.
 */
export async function makeCertificates(context: Mocha.Context): Promise<Certificates> {
  // It may have to be installed first.
  context.timeout(120_000)
  needCommand(context, 'openssl', ['openssl'])
  const folder = await mkdtemp(join(tmpdir(), 'deckwatch-certificates-'))
  const server = 'subjectAltName=DNS:localhost,DNS:kube.test,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'
  const client = 'extendedKeyUsage=clientAuth\n'
  await Promise.all([authority(folder, 'ca'), authority(folder, 'other-ca')])
  // One after the other: they share the authority's serial number file.
  await leaf(folder, 'server', '/CN=server', { extensions: server })
  await leaf(folder, 'server-ended', '/CN=server', { extensions: server, days: -1 })
  await leaf(folder, 'alice', '/CN=alice/O=dev', { extensions: client })
  await leaf(folder, 'bob', '/CN=bob/O=dev', { extensions: client })
  await leaf(folder, 'alice-ended', '/CN=alice', { extensions: client, days: -1 })
  await leaf(folder, 'stranger', '/CN=stranger', { extensions: client, authority: 'other-ca' })
  return {
    folder,
    path: (file) => join(folder, file),
    text: (file) => readFile(join(folder, file), 'utf8'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
