import { existsSync, writeFileSync } from 'node:fs'
import { skip } from './skip.ts'
import { installPackages } from './debian-package.ts'
import { Daemon } from './kubernetes/daemon.ts'
import { freePorts } from './kubernetes/free-ports.ts'
import { RunFolder } from './kubernetes/run-folder.ts'
import { untilReady } from './kubernetes/until-ready.ts'

const PROGRAM = '/usr/bin/docker-registry'

/** A real image registry, empty at first, on 127.0.0.1 and without TLS. */
export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  stop(): Promise<void>
}

/** Starts a registry (Debian's docker-registry); skips where the package is missing and cannot be installed. */
export async function requireRegistry(context: Mocha.Context): Promise<Registry> {
  if (!existsSync(PROGRAM)) installPackages(['docker-registry'])
  if (!existsSync(PROGRAM))
    skip(context, 'needs a registry (as root on Debian: apt-get install docker-registry)')
  const [port = 0] = await freePorts(1)
  const host = `127.0.0.1:${port}`
  const folder = new RunFolder('registry')
  // JSON is YAML.
  const config = {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: folder.file('storage') } },
    http: { addr: host },
  }
  writeFileSync(folder.file('config.json'), JSON.stringify(config))
  const daemon = new Daemon({
    name: 'registry',
    command: [PROGRAM, 'serve', folder.file('config.json')],
    folder,
  })
  const stop = async (): Promise<void> => {
    await daemon.kill()
    folder.remove()
  }
  daemon.start()
  try {
    await untilReady(daemon, async (signal) => {
      const { status } = await fetch(`http://${host}/v2/`, { signal })
      if (status !== 200) throw new Error(`the registry answers ${status}`)
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { host, stop }
}
