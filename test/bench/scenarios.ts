import type { Scenario } from './scenario.ts'
import { auditPatchScenario } from './scenarios/audit-patch.ts'
import { auditStoreScenario } from './scenarios/audit-store.ts'
import { auditWebhookScenario } from './scenarios/audit-webhook.ts'
import { blameScenario } from './scenarios/blame.ts'
import { companionApiScenario } from './scenarios/companion-api.ts'
import { companionWatchersScenario } from './scenarios/companion-watchers.ts'
import { companionScenario } from './scenarios/companion.ts'
import { diffScenario } from './scenarios/diff.ts'
import { followScenario } from './scenarios/follow.ts'
import { imageScenario } from './scenarios/image.ts'
import { largeScenario } from './scenarios/large.ts'
import { renderScenario } from './scenarios/render.ts'
import { smallScenario } from './scenarios/small.ts'
import { startScenario } from './scenarios/start.ts'

/** Every scenario in the order in which it runs and is reported. */
export const SCENARIOS: readonly Scenario[] = [
  startScenario,
  smallScenario,
  blameScenario,
  renderScenario,
  diffScenario,
  largeScenario,
  followScenario,
  imageScenario,
  companionWatchersScenario,
  companionApiScenario,
  companionScenario,
  auditStoreScenario,
  auditWebhookScenario,
  auditPatchScenario,
]
