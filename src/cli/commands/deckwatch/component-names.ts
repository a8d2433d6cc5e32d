import { COMPONENTS } from '../../../../server/deploy/components.ts'

/** What `--components` takes, one at a time. */
export function componentNames(): readonly string[] {
  return ['all', ...COMPONENTS.map(({ name }) => name)]
}
