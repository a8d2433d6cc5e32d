import { ApiError } from '../../kit/api/api-error.ts'
import type { PageCursor } from '../store/audit-store.ts'

/** The continue token of the page that begins behind a change. */
export function writePageToken({ time, writer, seq }: PageCursor): string {
  return Buffer.from(`${time}.${writer}.${seq}`).toString('base64url')
}

/** Where a token's page begins; ApiError BadRequest for what is no token. Who may see what is asked anew each time. */
export function readPageToken(token: string): PageCursor {
  const text = Buffer.from(token, 'base64url').toString('latin1')
  const [, time, writer, seq] = /^(\d{1,16})\.(\d{1,10})\.(\d{1,15})$/.exec(text) ?? []
  if (time !== undefined) return { time: Number(time), writer: Number(writer), seq: Number(seq) }
  throw new ApiError('BadRequest', 'the continue token is not of this list')
}
