import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { readTar } from '../../../scripts/release/tar.ts'
import { BUSYBOX, busyboxLayer, filesLayer } from '../images/busybox.ts'
import { ociArchive } from '../images/oci-layout.ts'
import { PAUSE_IMAGE } from './node-config.ts'

/** What an image for tests holds besides busybox. */
export interface ImageContent {
  /** By path relative to the root; different files make different digests. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** By default it waits, and ends at once on SIGTERM. */
  readonly command?: readonly string[]
  /** `NAME=VALUE` */
  readonly environment?: readonly string[]
  /** True by default: known by its digest too, as a pulled image is, so that pods report it as imageID. */
  readonly pulled?: boolean
}

const WAIT = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done']

/** Imports images into the containerd of a node. */
export class NodeImages {
  readonly #enter: (command: readonly string[]) => readonly string[]
  readonly #base = busyboxLayer()

  constructor(enter: (command: readonly string[]) => readonly string[]) {
    this.#enter = enter
  }

  /** The image that holds every pod's namespaces open. */
  async importPause(): Promise<void> {
    const pause = { reference: PAUSE_IMAGE, layers: [this.#base], entrypoint: [BUSYBOX, 'sleep', 'infinity'] }
    await this.#import(pause.reference, ociArchive(pause).archive, true)
  }

  /** Imports an image and gives its manifest's digest. */
  async import(reference: string, content: ImageContent = {}): Promise<string> {
    const { files = {}, command = WAIT, environment = ['PATH=/bin'], pulled = true } = content
    const layers = [this.#base, ...(Object.keys(files).length > 0 ? [filesLayer(files)] : [])]
    const { archive, digest } = ociArchive({ reference, layers, command, environment })
    await this.#import(reference, archive, pulled)
    return digest
  }

  /** Imports an archive with one image, an OCI layout that says how it is called, and gives its manifest's digest. */
  async importArchive(path: string): Promise<string> {
    const archive = readFileSync(path)
    const index = [...readTar(archive)].find(({ name }) => name === 'index.json')
    const { manifests } = JSON.parse(index?.data.toString() ?? '{"manifests":[]}') as {
      manifests: { digest: string; annotations?: Record<string, string> }[]
    }
    const [manifest] = manifests
    const reference = manifest?.annotations?.['io.containerd.image.name']
    if (!manifest || !reference) throw new Error(`${path} holds no image with a name`)
    await this.#import(reference, archive, true)
    return manifest.digest
  }

  async #import(reference: string, archive: Buffer, pulled: boolean): Promise<void> {
    // A tag's colon stands after the last slash; one before it belongs to a port.
    const name = reference.replace(/:[^/:]*$/, '')
    const digests = pulled ? ['--digests', '--base-name', name] : []
    const [program = '', ...args] = this.#enter([
      'ctr',
      '--namespace',
      'k8s.io',
      'images',
      'import',
      ...digests,
      '-',
    ])
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] })
    child.stdin.once('error', () => {})
    child.stdin.end(archive)
    const [[code], complaint] = await Promise.all([once(child, 'close'), text(child.stderr)])
    if (code !== 0) throw new Error(`importing ${reference} failed: ${complaint.trim()}`)
  }
}
