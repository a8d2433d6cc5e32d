import { access, accounts } from './access.ts'
import { apiService } from './api-service.ts'
import { checkValues } from './check-values.ts'
import { config } from './config.ts'
import { disruptionBudgets } from './disruption.ts'
import type { Manifest } from './manifest.ts'
import { namespace } from './namespace.ts'
import { networkPolicy } from './network.ts'
import { services } from './services.ts'
import { storage } from './storage.ts'
import { purge } from './purge.ts'
import type { DeployValues } from './values.ts'
import { webhook } from './webhook.ts'
import { workloads } from './workloads.ts'

/** All objects of an installation in the order of application; throws a ValuesError where the values cannot be. */
export function manifests(values: DeployValues): readonly Manifest[] {
  checkValues(values)
  return [
    namespace(values),
    ...accounts(values),
    ...access(values),
    config(values),
    ...purge(values),
    ...webhook(values),
    ...storage(values),
    ...services(values),
    ...workloads(values),
    ...networkPolicy(values),
    ...disruptionBudgets(values),
    apiService(values),
  ]
}
