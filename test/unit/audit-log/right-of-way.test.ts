import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { RightOfWay } from '../../../server/audit-log/right-of-way.ts'

describe('the right of way of requests', () => {
  it('is not waited for where none is being answered', () => {
    // Otherwise the test's own time would be over.
    new RightOfWay().giveWay(600_000)
  })

  it('is waited for in another thread until the last is answered', async () => {
    const requests = new RightOfWay()
    requests.enter()
    requests.enter()
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       import(workerData.module).then(({ RightOfWay }) => {
         parentPort.postMessage('waits')
         new RightOfWay(workerData.memory).giveWay(60_000)
         parentPort.postMessage('goes on')
       })`,
      {
        eval: true,
        workerData: {
          module: new URL('../../../server/audit-log/right-of-way.ts', import.meta.url).href,
          memory: requests.memory,
        },
      },
    )
    const heard: string[] = []
    const went = new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.on('message', (message: string) => {
        heard.push(message)
        if (message === 'waits') {
          requests.leave()
          assert.deepEqual(heard, ['waits'])
          requests.leave()
        } else resolve()
      })
    })
    try {
      await went
    } finally {
      await worker.terminate()
    }
    assert.deepEqual(heard, ['waits', 'goes on'])
  })

  it('is given up after a while, so that nobody is starved by a request that never ends', () => {
    const requests = new RightOfWay()
    requests.enter()
    requests.giveWay(5)
    requests.leave()
  })
})
