import type { ConnectionOverrides } from '../../../core/kube/connection.ts'
import { connectionOverrides } from '../../shell/connection-flags.ts'

/** The connection that the flags of `kubectl blame` mean, whose `--user` says whose changes are wanted. */
export function blameConnectionOverrides(flags: Readonly<Record<string, unknown>>): ConnectionOverrides {
  return connectionOverrides({ ...flags, user: flags['kubeconfig-user'] })
}
