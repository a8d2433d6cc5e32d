import { createHash } from 'node:crypto'
import type { ArchiveEntry } from '../release/archive-entry.ts'
import { writeTar } from '../release/tar.ts'

/** A layer as it travels. */
export interface Layer {
  /** A gzipped tar. */
  readonly blob: Buffer
  /** The digest of that tar before it was compressed, `sha256:…`. */
  readonly diffId: string
  /** What it was made of, for `history`. */
  readonly comment: string
}

/** What a container of an image runs by default (OCI image-spec v1, config.md). */
export interface ImageConfig {
  readonly User: string
  readonly ExposedPorts: Readonly<Record<string, object>>
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly WorkingDir: string
  readonly Labels: Readonly<Record<string, string>>
}

/** An image for one platform. */
export interface Image {
  /** Fully qualified, with a tag: `ghcr.io/deckwatch/deckwatch:0.1.0`. */
  readonly reference: string
  readonly architecture: string
  /** RFC 3339. */
  readonly created: string
  /** The lowest first. */
  readonly layers: readonly Layer[]
  readonly config: ImageConfig
}

/** An image as one file, which `ctr images import` and `skopeo copy oci-archive:` take. */
export interface OciArchive {
  /** A tar of an OCI image layout (image-spec v1, image-layout.md). */
  readonly archive: Buffer
  /** The manifest's digest, `sha256:…`. */
  readonly digest: string
  /** What a registry stores: layers, configuration and manifest. */
  readonly transferBytes: number
}

/** A digest as OCI writes it. */
export function sha256(contents: Buffer): string {
  return `sha256:${createHash('sha256').update(contents).digest('hex')}`
}

/** Packs an image; equal contents give equal bytes. */
export function ociArchive({ reference, architecture, created, layers, config }: Image): OciArchive {
  const blobs = new Map<string, Buffer>()
  const add = (mediaType: string, contents: Buffer) => {
    const digest = sha256(contents)
    blobs.set(digest, contents)
    return { mediaType, digest, size: contents.length }
  }
  const platform = { architecture, os: 'linux' }
  const descriptors = layers.map(({ blob }) => add('application/vnd.oci.image.layer.v1.tar+gzip', blob))
  const configDescriptor = add(
    'application/vnd.oci.image.config.v1+json',
    json({
      ...platform,
      created,
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(({ comment }) => ({ created, comment })),
    }),
  )
  const manifestType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = add(
    manifestType,
    json({ schemaVersion: 2, mediaType: manifestType, config: configDescriptor, layers: descriptors }),
  )
  const annotations = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  }
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] }
  const entries: ArchiveEntry[] = [
    file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    file('index.json', json(index)),
    ...[...blobs].map(([digest, contents]) => file(`blobs/${digest.replace(':', '/')}`, contents)),
  ]
  const transferBytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
  return { archive: writeTar(entries), digest: manifest.digest, transferBytes }
}

function file(name: string, data: Buffer): ArchiveEntry {
  return { name, mode: 0o644, data }
}

/** JSON with sorted keys, so that equal values are equal bytes. */
function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value, (_key, inner: unknown) => sorted(inner)))
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
