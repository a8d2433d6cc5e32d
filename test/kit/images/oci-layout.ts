import { createHash } from 'node:crypto'
import { tar } from './tar.ts'

/** What an image is made of. */
export interface OciImage {
  /** Fully qualified, for instance `docker.io/library/nginx:1.25`. */
  readonly reference: string
  /** Tar archives, the lowest first. */
  readonly layers: readonly Buffer[]
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  /** `NAME=VALUE` */
  readonly environment?: readonly string[]
}

/** An image as one file that container runtimes import. */
export interface OciArchive {
  /** A tar of an OCI image layout (image-spec v1, image-layout.md). */
  readonly archive: Buffer
  /** The manifest's digest, `sha256:…`. */
  readonly digest: string
}

/** Packs an image for this machine's architecture; equal contents give an equal digest. */
export function ociArchive(image: OciImage): OciArchive {
  const blobs = new Map<string, Buffer>()
  const add = (mediaType: string, contents: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(contents).digest('hex')}`
    blobs.set(`blobs/sha256/${digest.slice('sha256:'.length)}`, contents)
    return { mediaType, digest, size: contents.length }
  }
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const platform = { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' }

  const layers = image.layers.map((layer) => add('application/vnd.oci.image.layer.v1.tar', layer))
  const config = add(
    'application/vnd.oci.image.config.v1+json',
    json({
      ...platform,
      config: { Entrypoint: image.entrypoint, Cmd: image.command, Env: image.environment },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    }),
  )
  const manifest = add(
    'application/vnd.oci.image.manifest.v1+json',
    json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers }),
  )
  const annotations = { 'io.containerd.image.name': image.reference }
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] }
  const archive = tar([
    { path: 'oci-layout', contents: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', contents: json(index) },
    ...[...blobs].map(([path, contents]) => ({ path, contents })),
  ])
  return { archive, digest: manifest.digest }
}
