import type { ImageName } from '../wire/image.ts'

/** The parts of an image reference after defaults are filled in; of an invalid one the name is its text. */
export interface ImageReference extends ImageName {
  /** `docker.io` where the reference names none. */
  readonly registry: string
  /** The normal form, the same for every spelling of one image: `docker.io/library/nginx:1.25` for `nginx:1.25`. */
  readonly key: string
}

// The grammar of github.com/distribution/reference (reference.go), which kubelets and registries share.
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[\w][\w.-]{0,127}$/
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/
const MAX_NAME_LENGTH = 255

/** Reads an image reference as a container runtime does; what is no valid reference keeps its text as name. */
export function parseImageReference(reference: string): ImageReference {
  const at = reference.indexOf('@')
  const digest = at < 0 ? '' : reference.slice(at + 1)
  const tagged = at < 0 ? reference : reference.slice(0, at)
  // A colon before the last slash belongs to the registry's port.
  const colon = tagged.lastIndexOf(':')
  const hasTag = colon > tagged.lastIndexOf('/')
  const tag = hasTag ? tagged.slice(colon + 1) : ''
  const { registry, repository } = splitRegistry(hasTag ? tagged.slice(0, colon) : tagged)
  const valid =
    DOMAIN.test(registry) &&
    REPOSITORY.test(repository) &&
    registry.length + 1 + repository.length <= MAX_NAME_LENGTH &&
    (hasTag ? TAG.test(tag) : true) &&
    (at < 0 || DIGEST.test(digest))
  if (!valid) return { reference, name: reference, tag: '', digest: '', registry: '', key: reference }
  const name = `${registry}/${repository}`
  const shownTag = tag || (digest ? '' : 'latest')
  const key = `${name}${shownTag && `:${shownTag}`}${digest && `@${digest}`}`
  return { reference, name, tag: shownTag, digest, registry, key }
}

function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const registry = isDomain ? first.replace(/^index\.docker\.io$/, 'docker.io') : 'docker.io'
  const path = isDomain ? name.slice(slash + 1) : name
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  return { registry, repository }
}

/** What a status or a node says an image is: a manifest digest, or the runtime's own id of it. */
export interface RunningImage {
  /** With its algorithm: `sha256:…`. */
  readonly digest: string
  /**
   * False for a bare image id (a locally imported image has no manifest digest): it names the configuration, so it
   * may not be compared with a manifest digest.
   */
  readonly manifest: boolean
}

/** Reads `imageID` of a container status: `docker.io/library/nginx@sha256:…`, `docker-pullable://…`, `sha256:…`. */
export function parseImageID(imageID: string): RunningImage | undefined {
  const digest = /([a-z0-9]+:[0-9a-f]{32,})$/.exec(imageID)?.[1]
  if (digest === undefined) return undefined
  return { digest, manifest: imageID.charAt(imageID.length - digest.length - 1) === '@' }
}

/** The first 12 hexadecimal characters of a digest, as people compare them. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12)
}
