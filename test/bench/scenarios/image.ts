import { stat } from 'node:fs/promises'
import { companionImage } from '../../kit/companion-image.ts'
import type { Scenario } from '../scenario.ts'

const BAR_MB = 45

/** What a node pulls to run the companion. */
export const imageScenario: Scenario = {
  name: 'image',
  about: "the companion's image for amd64, compressed",
  cluster: 'small',
  async run() {
    const { archive } = await companionImage()
    const megabytes = (await stat(archive)).size / 1e6
    return [
      {
        what: "the companion's image, compressed",
        ours: `${megabytes.toFixed(1)} MB`,
        bar: { text: `≤ ${BAR_MB} MB`, met: megabytes <= BAR_MB },
      },
    ]
  },
}
