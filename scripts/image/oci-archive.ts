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
  readonly architecture: string
  /** RFC 3339. */
  readonly created: string
  /** The lowest first. */
  readonly layers: readonly Layer[]
  readonly config: ImageConfig
}

/** An image as a registry stores it. */
export interface PackedImage {
  readonly manifest: Descriptor
  /** The manifest, the configuration and the layers by their digests. */
  readonly blobs: ReadonlyMap<string, Buffer>
  /** What they come to. */
  readonly transferBytes: number
}

/** How OCI points at a blob (image-spec v1, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  /** `sha256:…` */
  readonly digest: string
  readonly size: number
  readonly platform?: { readonly architecture: string; readonly os: string }
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'

/** A digest as OCI writes it. */
export function sha256(contents: Buffer): string {
  return `sha256:${createHash('sha256').update(contents).digest('hex')}`
}

/** Packs an image; equal contents give equal bytes. */
export function packImage({ architecture, created, layers, config }: Image): PackedImage {
  const blobs = new Map<string, Buffer>()
  const platform = { architecture, os: 'linux' }
  const descriptors = layers.map(({ blob }) =>
    add(blobs, 'application/vnd.oci.image.layer.v1.tar+gzip', blob),
  )
  const configuration = {
    ...platform,
    created,
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ comment }) => ({ created, comment })),
  }
  const configDescriptor = add(blobs, 'application/vnd.oci.image.config.v1+json', json(configuration))
  const content = { schemaVersion: 2, mediaType: MANIFEST, config: configDescriptor, layers: descriptors }
  const manifest = { ...add(blobs, MANIFEST, json(content)), platform }
  const transferBytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
  return { manifest, blobs, transferBytes }
}

/**
 * A tar of an OCI image layout (image-spec v1, image-layout.md), which `ctr images import` and `skopeo copy
 * oci-archive:` take. Several images, for as many platforms, are one under the same name: of those, runtimes take what
 * fits, and skopeo everything with `--all`. `reference` is fully qualified and has a tag.
 */
export function ociArchive(reference: string, images: readonly PackedImage[]): Buffer {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]))
  const [first, ...others] = images.map(({ manifest }) => manifest)
  if (!first) throw new Error('an archive without an image')
  const top =
    others.length === 0
      ? first
      : add(blobs, INDEX, json({ schemaVersion: 2, mediaType: INDEX, manifests: [first, ...others] }))
  const annotations = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  }
  return writeTar([
    file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    file('index.json', json({ schemaVersion: 2, manifests: [{ ...top, annotations }] })),
    ...[...blobs].map(([digest, contents]) => file(`blobs/${digest.replace(':', '/')}`, contents)),
  ])
}

function add(blobs: Map<string, Buffer>, mediaType: string, contents: Buffer): Descriptor {
  const digest = sha256(contents)
  blobs.set(digest, contents)
  return { mediaType, digest, size: contents.length }
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
