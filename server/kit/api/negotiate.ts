import { ApiError } from './api-error.ts'

/** How much of each object a row of a Table carries; `--sort-by` asks for Object and cannot do without. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** In which form objects are answered. */
export type Form =
  | { readonly kind: 'object' }
  | { readonly kind: 'metadata'; readonly version: MetaVersion }
  | { readonly kind: 'table'; readonly version: MetaVersion; readonly includeObject: IncludeObject }

/** The versions of meta.k8s.io that Tables and PartialObjectMetadata are asked in; they do not differ. */
export type MetaVersion = 'v1' | 'v1beta1'

interface MediaRange {
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

/** A header of more ranges is no client's. */
const MAX_RANGES = 32

/** Reads an Accept header: the ranges in the order of preference. */
export function mediaRanges(accept: string | undefined): readonly MediaRange[] {
  if (!accept?.trim()) return [{ type: '*/*', parameters: {}, quality: 1 }]
  return accept
    .split(',', MAX_RANGES)
    .map((range) => {
      const [type = '', ...rest] = range.split(';').map((part) => part.trim())
      const parameters = Object.fromEntries(
        rest.map((part) => {
          const at = part.indexOf('=')
          return at < 0 ? [part.toLowerCase(), ''] : [part.slice(0, at).toLowerCase(), part.slice(at + 1)]
        }),
      ) as Readonly<Record<string, string>>
      const quality = parameters['q'] === undefined ? 1 : Number(parameters['q'])
      return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality }
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((one, other) => other.quality - one.quality)
}

/** Whether a range takes JSON. */
export function takesJson({ type }: MediaRange): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*'
}

/** The form that a client prefers among those there are; ApiError NotAcceptable where it takes none. */
export function negotiateForm(
  accept: string | undefined,
  includeObject: string | null,
  reads: 'object' | 'list' | 'watch',
): Form {
  for (const range of mediaRanges(accept)) {
    if (!takesJson(range)) continue
    const { as, g: group, v: version } = range.parameters
    if (as === undefined) return { kind: 'object' }
    if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    if (as === 'Table') return { kind: 'table', version, includeObject: includeOf(includeObject) }
    if (as === (reads === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata')) {
      return { kind: 'metadata', version }
    }
  }
  throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json')
}

function includeOf(given: string | null): IncludeObject {
  switch (given) {
    case null:
    case '':
    case 'Metadata':
      return 'Metadata'
    case 'None':
    case 'Object':
      return given
    default:
      throw new ApiError('BadRequest', `unrecognized includeObject value: ${JSON.stringify(given)}`)
  }
}
