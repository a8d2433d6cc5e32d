import { plural, visible } from '../../../core/lib/text.ts'
import { rfc3339Seconds } from '../../../core/lib/time.ts'
import type { FollowItem } from '../../features/images/follow-images.ts'
import { imageEvent, imageLine, isDetail, podLine } from '../../features/images/event-lines.ts'
import { renderJsonLine } from '../../render/structured.ts'
import type { Session } from '../../shell/session.ts'

/** How the stream is written. */
export interface FollowOptions {
  readonly json: boolean
  readonly verbose: boolean
  /** Undefined for all namespaces. */
  readonly namespace: string | undefined
}

/** Writes the stream to stdout as it comes, and to stderr what is not part of it; returns when the stream ends. */
export async function printFollow(
  items: AsyncIterable<FollowItem>,
  options: FollowOptions,
  { stdout, stderr }: Pick<Session, 'stdout' | 'stderr'>,
): Promise<void> {
  const kind = options.namespace === undefined ? 'ClusterImageEvent' : 'ImageEvent'
  let synced = false
  let lostAt: number | undefined
  for await (const item of items) {
    switch (item.type) {
      case 'image': {
        if (options.json) {
          const event = imageEvent(item, kind)
          if (event) await stdout.write(renderJsonLine(event))
        } else if (options.verbose || !isDetail(item.transition.op)) await stdout.write(imageLine(item))
        break
      }
      case 'pod':
        if (options.verbose && !options.json) await stdout.write(podLine(item))
        break
      case 'synced':
        synced = true
        await stderr.write(
          `${plural(item.images, 'image')} in use${item.pods === undefined ? '' : ` by ${plural(item.pods, 'pod')}`}; following\n`,
        )
        break
      case 'interrupted':
        lostAt = item.at
        await stderr.write(
          `${clockTime(item.at)} the ${synced ? 'watch' : 'list'} was lost (${visible(item.reason)}); trying again\n`,
        )
        break
      case 'failing':
        await stderr.write(
          `${clockTime(item.at)} still no ${synced ? 'watch' : 'list'}: ${visible(item.reason)}\n`,
        )
        break
      case 'resumed':
        if (synced) await stderr.write(`${resumedLine(lostAt ?? item.at - item.downMs, item)}\n`)
        break
      case 'replayed':
        await stderr.write(
          `${item.changes === 0 ? 'No changes' : plural(item.changes, 'change')} since ${rfc3339Seconds(item.since)}\n`,
        )
        break
      case 'warning':
        // As kubectl prints what an API server warns of.
        await stderr.write(`Warning: ${visible(item.text)}\n`)
        break
      case 'abandoned':
        synced = false
        await stderr.write(
          `${clockTime(item.at)} still no companion (${visible(item.reason)}); watching pods instead: what came and went since ${clockTime(lostAt ?? item.at)} is not told\n`,
        )
        break
    }
  }
}

function resumedLine(since: number, { at, how }: Extract<FollowItem, { type: 'resumed' }>): string {
  const gap = `not watching ${clockTime(since)}–${clockTime(at)}`
  return how === 'watch'
    ? `${gap}; resumed, nothing missed`
    : `${gap}; resumed with a new list: what came and went in between is not told`
}

/** UTC, as the lines of the stream are. */
function clockTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(11, 19)}Z`
}
