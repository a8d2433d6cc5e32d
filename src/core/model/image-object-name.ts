import { createHash } from 'node:crypto'

/** The metadata.name of an image's object: a readable slug and 10 hex characters of its reference's SHA-256. */
export function imageObjectName(reference: string): string {
  const slug = reference
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(-200)
    .replaceAll(/^-+|-+$/g, '')
  const hash = createHash('sha256').update(reference).digest('hex').slice(0, 10)
  return slug ? `${slug}-${hash}` : hash
}
