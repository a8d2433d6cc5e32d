import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { residentBytes, startBuiltCompanion } from '../companion.ts'
import { memory } from '../finding.ts'
import type { Scenario } from '../scenario.ts'
import { WatchClient } from '../watch-client.ts'

const WATCHERS = 1000
/** Both are given the time to let go of what the opening needed. */
const SETTLE_MS = 20_000
const BAR = 1.3

/** What an idle watcher costs beside an idle TLS connection. */
export const companionWatchersScenario: Scenario = {
  name: 'watchers',
  about: 'the memory of 1,000 idle watchers beside 1,000 idle TLS connections to a bare node:https server',
  cluster: 'small',
  async run({ cluster: { control }, quick }) {
    const watchers = quick ? 200 : WATCHERS
    const ours = await ofCompanion(control, watchers)
    const bare = await ofBareServer(control, watchers)
    const finding = memory(`${watchers} idle watchers: what the companion grows by`, ours, {
      name: `${watchers} idle TLS connections to a bare node:https server`,
      bytes: bare,
    })
    return [{ ...finding, bar: { text: `≤ ${BAR}`, met: ours / bare <= BAR } }]
  },
}

async function ofCompanion(control: ControlPlane, watchers: number): Promise<number> {
  const companion = await startBuiltCompanion(control, {
    flags: [`--watches=${watchers + 100}`, `--watches-per-user=${watchers}`, '--requests-per-second=1000'],
  })
  try {
    const path = '/apis/deckwatch.dev/v1alpha1/clusterimageevents?watch=true&resourceVersion='
    const { metadata } = await control.admin.send<{ metadata: { resourceVersion: string } }>(
      'GET',
      '/apis/deckwatch.dev/v1alpha1/clusterimageevents?limit=1',
    )
    const { certificate: cert, key } = control.authority.issue({
      commonName: 'watcher',
      organizations: ['system:masters'],
    })
    const client = new WatchClient(control.url, { ca: control.authority.certificate, cert, key })
    try {
      return await growth(companion.pid, watchers, () =>
        client.open(path + metadata.resourceVersion, () => undefined),
      )
    } finally {
      client.close()
    }
  } finally {
    await companion.stop()
  }
}

async function ofBareServer({ authority }: ControlPlane, connections: number): Promise<number> {
  const { certificate, key } = authority.issue({ commonName: 'bare', hosts: ['127.0.0.1'] })
  const program = join(import.meta.dirname, '..', 'programs', 'bare-tls.ts')
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, BARE_CERT: certificate, BARE_KEY: key },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const port = await portOf(child)
    const client = new WatchClient(`https://127.0.0.1:${port}`, { ca: authority.certificate })
    try {
      return await growth(child.pid, connections, () => client.open('/', () => undefined))
    } finally {
      client.close()
    }
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

async function growth(pid: number | undefined, count: number, open: () => Promise<void>): Promise<number> {
  // What the first one loads is no cost of the others.
  await open()
  await delay(SETTLE_MS / 4)
  const before = residentBytes(pid)
  for (let opened = 0; opened < count; opened += 10) {
    await Promise.all(Array.from({ length: Math.min(10, count - opened) }, open))
  }
  await delay(SETTLE_MS)
  return residentBytes(pid) - before
}

async function portOf(child: ChildProcessByStdio<null, Readable, null>): Promise<number> {
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(line.toString())
}
